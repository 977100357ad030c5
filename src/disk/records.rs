//! The records of a queue, one after the other, as people look into it later.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::capture::rules::Records;

/// The records of a file. What is cut off at its end counts as one: it may be what somebody looks for.
#[derive(Debug)]
pub struct Split {
    file: BufReader<File>,
    records: Records,
    /// Of records that are counted in the file, those that are still to come.
    left: u64,
}

impl Split {
    /// The records of `file` from its beginning on.
    pub fn new(mut file: File, records: Records) -> io::Result<Self> {
        let mut left = u64::MAX;
        if let Records::Counted { at, first, .. } = records {
            let mut count = vec![];
            file.seek(SeekFrom::Start(at))?;
            file.by_ref().take(4).read_to_end(&mut count)?;
            left = count.try_into().map_or(0, |count| u32::from_le_bytes(count).into());
            file.seek(SeekFrom::Start(first))?;
        }
        Ok(Self { file: BufReader::new(file), records, left })
    }

    /// The next one, without what divides it from others; empty at the end.
    fn record(&mut self) -> io::Result<Option<Vec<u8>>> {
        let (mut bytes, mut length) = (vec![], vec![]);
        match self.records {
            Records::Lines => {
                if self.file.read_until(b'\n', &mut bytes)? == 0 {
                    return Ok(None);
                }
                bytes.pop_if(|last| *last == b'\n');
                return Ok(Some(bytes));
            }
            Records::Fixed(fixed) | Records::Counted { fixed, .. } => {
                self.file.by_ref().take(fixed).read_to_end(&mut bytes)?;
            }
            Records::Prefix(number) => {
                self.file.by_ref().take(number.bytes as u64).read_to_end(&mut length)?;
                let rest = number.read(&length).filter(|rest| *rest > 0);
                self.file.by_ref().take(rest.unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
                // Nothing whole follows: the rest is one, with what stands for its length.
                if rest.is_none() {
                    bytes.splice(0..0, length);
                }
            }
        }
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl Iterator for Split {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.record().transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::disk::capture::rules::Number;

    fn split(bytes: &[u8], records: Records) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        Split::new(file, records).unwrap().collect::<io::Result<_>>().unwrap()
    }

    #[test]
    fn each_kind_of_queue_falls_into_its_records() {
        let low = Records::Prefix(Number { bytes: 2, low_first: true });
        let counted = Records::Counted { at: 2, first: 8, fixed: 3 };
        assert_eq!(split(b"1;tea\n\n2;rum", Records::Lines), [&b"1;tea"[..], b"", b"2;rum"]);
        assert_eq!(split(b"teaRUMmi", Records::Fixed(3)), [&b"tea"[..], b"RUM", b"mi"]);
        assert_eq!(split(b"\x03\0tea\x04\0milk\x09\0ru", low), [&b"tea"[..], b"milk", b"ru"]);
        assert_eq!(split(b"\x03\0tea\0\0rest", low), [&b"tea"[..], b"\0\0rest"]);
        assert_eq!(split(b"HD\x02\0\0\0..teaRUMmilk", counted), [&b"tea"[..], b"RUM"]);
        assert_eq!(split(b"HD\x09\0\0\0..tea", counted), [&b"tea"[..]]);
        assert_eq!(split(b"HD", counted), [&b""[..]; 0]);
        for records in [Records::Lines, Records::Fixed(3), low, counted] {
            assert_eq!(split(b"", records), [&b""[..]; 0]);
        }
    }
}
