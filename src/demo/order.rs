//! An order, as a cashier says it, as the POS server answers it, and as it stands in the queue.

/// The file of all orders that were ever booked, one a line, in the order of booking.
pub const QUEUE: &str = "ORDER.QUE";

/// What the shop sells, and the price in cents.
pub const GOODS: [(&str, u64); 6] =
    [("coffee", 350), ("tea", 290), ("milk", 125), ("bread", 240), ("beer", 420), ("newspaper", 180)];

/// Letters of a name, at the most.
const LONGEST: usize = 40;

/// An order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// The till.
    pub terminal: String,
    /// What the cashier calls it. An order that is sent again keeps its name, and is booked once.
    pub id: String,
    /// What it costs, in cents.
    pub cents: u64,
}

/// An order that is booked, and has a number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sale {
    /// The order.
    pub order: Order,
    /// The number on the receipt, from 1; no two sales have the same.
    pub receipt: u64,
}

impl Order {
    /// How a cashier says it: `SELL CAJA-1 CAJA-1-17 350`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("SELL {} {} {}\n", self.terminal, self.id, self.cents)
    }

    /// What a cashier has said, if that is an order.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("SELL ")?.split(' ');
        let order = Self::of(words.next()?, words.next()?, words.next()?)?;
        words.next().is_none().then_some(order)
    }

    fn of(terminal: &str, id: &str, cents: &str) -> Option<Self> {
        let is_name = |name: &str| {
            (1..=LONGEST).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let cents = cents.parse().ok()?;
        (is_name(terminal) && is_name(id)).then(|| Self { terminal: terminal.to_owned(), id: id.to_owned(), cents })
    }
}

impl Sale {
    /// Its record in the queue: `CAJA-1;CAJA-1-17;1044;350`.
    #[must_use]
    pub fn record(&self) -> String {
        let Self { order: Order { terminal, id, cents }, receipt } = self;
        format!("{terminal};{id};{receipt};{cents}\n")
    }

    /// What a record says, without the end of its line.
    #[must_use]
    pub fn read(record: &str) -> Option<Self> {
        let mut fields = record.split(';');
        let [terminal, id, receipt, cents] = [fields.next()?, fields.next()?, fields.next()?, fields.next()?];
        let (order, receipt) = (Order::of(terminal, id, cents)?, receipt.parse().ok()?);
        fields.next().is_none().then_some(Self { order, receipt })
    }

    /// The sales of a queue: its whole records that are any.
    pub fn all(queue: &str) -> impl Iterator<Item = Self> {
        queue.split_inclusive('\n').filter_map(|record| Self::read(record.strip_suffix('\n')?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_and_a_sale_are_read_as_they_were_written() {
        let order = Order { terminal: "CAJA-1".into(), id: "CAJA-1-17".into(), cents: 350 };
        assert_eq!(Order::read(order.line().trim_end()), Some(order.clone()));
        let sale = Sale { order, receipt: 1044 };
        assert_eq!(Sale::read(sale.record().trim_end()), Some(sale));
        for wrong in
            ["SELL CAJA-1 17", "SELL CAJA-1 17 350 1", "SELL a;b 17 350", "SELL  17 350", "SELL a b 3.50", "PING"]
        {
            assert_eq!(Order::read(wrong), None, "{wrong}");
        }
        assert_eq!(Sale::read("CAJA-1;CAJA-1-17;1044"), None);
    }

    #[test]
    fn the_last_record_counts_only_when_it_is_whole() {
        let ids: Vec<_> = Sale::all("a;a-1;1;5\nnonsense\na;a-2;2;5\na;a-3;3;5").map(|sale| sale.order.id).collect();
        assert_eq!(ids, ["a-1", "a-2"]);
    }
}
