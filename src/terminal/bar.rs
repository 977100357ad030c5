//! Keeps everybody out of ports: whoever connects there is refused, and no other program can listen at them.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// Ports that are kept shut. They are free when this goes.
#[derive(Debug, Default)]
pub struct Bar {
    kept: Vec<(u16, TcpSocket)>,
    /// No part of this program is let in any more either.
    is_down: bool,
}

impl Bar {
    /// Keeps `ports` shut on all addresses. As long as this program's own listeners are not all in (`are_in`), it may be shared: who
    /// listens at one address of a port that is kept must come before it is closed. Returns whether all are kept.
    pub fn keep(&mut self, ports: &[u16], are_in: bool) -> bool {
        for port in ports {
            if self.kept.iter().all(|(kept, _)| kept != port) {
                match shut(*port) {
                    Ok(socket) => self.kept.push((*port, socket)),
                    Err(error) => tracing::debug!(port, %error, "a port cannot be kept shut yet"),
                }
            }
        }
        if are_in && !self.is_down && self.kept.len() == ports.len() {
            self.is_down = self.kept.iter().all(|(_, socket)| socket.set_reuseaddr(false).is_ok());
        }
        self.kept.len() == ports.len()
    }

    /// They are free again, also where a program that is being started at this instant still has a copy of what kept them.
    pub fn lift(&mut self) {
        for (port, socket) in &self.kept {
            if let Err(error) = socket.set_reuseaddr(true) {
                tracing::debug!(port, %error, "a port may stay shut for an instant");
            }
        }
        *self = Self::default();
    }
}

/// A socket that has a port, and never listens.
fn shut(port: u16) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn nobody_gets_in_but_who_was_there_and_all_do_when_it_is_lifted() {
        let port = shut(0).unwrap().local_addr().unwrap().port();
        let mut bar = Bar::default();
        assert!(bar.keep(&[port], false));
        // As every server does, and this program's own listeners.
        let own = TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert!(bar.keep(&[port], true));
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "its own part");
        assert!(TcpStream::connect(("127.0.0.2", port)).is_err(), "nobody else's");
        for address in ["0.0.0.0", "127.0.0.2"] {
            assert!(TcpListener::bind((address, port)).is_err(), "{address}");
        }
        drop(own);
        assert!(TcpListener::bind(("127.0.0.1", port)).is_err(), "no one comes after it");
        let copy = std::os::fd::AsFd::as_fd(&bar.kept[0].1).try_clone_to_owned().unwrap();
        bar.lift();
        assert!(TcpListener::bind(("0.0.0.0", port)).is_ok(), "whoever has a copy");
        drop(copy);
    }
}
