//! An encrypted connection between two machines that prove who they are: TLS 1.3, a key of its own on each side.
//!
//! The handshake proves that the other side has the key that it shows; whether that is the key of a machine that was joined
//! is asked of [`Secure::peer`] before anything that it says is read.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CipherSuite, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};
use tokio::io::BufReader;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::frame::OLDEST;
use super::identity::{Identity, MachineId};
use crate::os::net::Stream;

/// What the two sides say that they speak.
const SPOKEN: &[u8] = b"espejo/1";

/// Bytes that are taken from the system at once. What decrypts asks for a quarter of a record each time.
const TAKEN: usize = 128 * 1024;

/// Makes connections in the name of one machine.
#[derive(Clone)]
pub struct Tls {
    id: MachineId,
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

/// A connection, and who is on the other side.
pub struct Secure {
    /// What goes to and fro.
    pub stream: TlsStream<BufReader<Stream>>,
    /// Who is on the other side.
    pub peer: MachineId,
    /// Something that both sides know and nobody else: made for this connection alone.
    pub secret: [u8; 32],
    /// The version of what both sides say, once they have greeted each other; before that the oldest.
    pub spoken: u32,
}

impl Tls {
    /// Connections in the name of `identity`.
    pub fn new(identity: &Identity) -> Result<Self, Error> {
        let provider = Arc::new(provider());
        let any = Arc::new(AnyKey(Arc::clone(&provider)));
        let chain = || vec![identity.certificate.clone()];
        let versions = [&rustls::version::TLS13];
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)?
            .with_client_cert_verifier(Arc::clone(&any) as Arc<dyn ClientCertVerifier>)
            .with_single_cert(chain(), identity.key.clone_key())?;
        // A ticket that nobody reads makes the kernel reset a connection that only writes, and its end is lost.
        server.send_tls13_tickets = 0;
        server.alpn_protocols = vec![SPOKEN.to_vec()];
        server.ignore_client_order = true;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)?
            .dangerous()
            .with_custom_certificate_verifier(any)
            .with_client_auth_cert(chain(), identity.key.clone_key())?;
        client.resumption = Resumption::disabled();
        client.alpn_protocols = vec![SPOKEN.to_vec()];
        client.enable_sni = false;
        Ok(Self {
            id: identity.id(),
            connector: TlsConnector::from(Arc::new(client)),
            acceptor: TlsAcceptor::from(Arc::new(server)),
        })
    }

    /// Whose connections these are.
    #[must_use]
    pub fn id(&self) -> MachineId {
        self.id
    }

    /// Encrypts a connection that this machine made.
    pub async fn dialled(&self, stream: impl Into<Stream>) -> io::Result<Secure> {
        let name = ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into());
        Secure::new(TlsStream::Client(self.connector.connect(name, taking(stream.into())).await?))
    }

    /// Encrypts a connection that another machine made.
    pub async fn accepted(&self, stream: impl Into<Stream>) -> io::Result<Secure> {
        Secure::new(TlsStream::Server(self.acceptor.accept(taking(stream.into())).await?))
    }
}

impl Secure {
    fn new(stream: TlsStream<BufReader<Stream>>) -> io::Result<Self> {
        let (_, connection) = stream.get_ref();
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        let peer = certificate.map(MachineId::of).ok_or(io::ErrorKind::PermissionDenied)?;
        let exported = match &stream {
            TlsStream::Client(client) => client.get_ref().1.export_keying_material([0; 32], b"EXPORTER-espejo", None),
            TlsStream::Server(server) => server.get_ref().1.export_keying_material([0; 32], b"EXPORTER-espejo", None),
        };
        Ok(Self { peer, secret: exported.map_err(io::Error::other)?, stream, spoken: OLDEST })
    }
}

fn taking(stream: Stream) -> BufReader<Stream> {
    BufReader::with_capacity(TAKEN, stream)
}

/// What encrypts. AES goes first only where the processor has it: an old till is faster without.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if !crate::os::has_aes() {
        provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    }
    provider
}

/// Takes any key, if the other side proves that it has it.
#[derive(Debug)]
struct AnyKey(Arc<CryptoProvider>);

impl AnyKey {
    fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// There is no TLS 1.2 here.
fn too_old() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("TLS 1.3 only".to_owned()))
}

impl ServerCertVerifier for AnyKey {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        too_old()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        too_old()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair() -> (Secure, Secure, [MachineId; 2]) {
        let (a, b) = (Identity::make().unwrap(), Identity::make().unwrap());
        let (dialler, acceptor) = (Tls::new(&a).unwrap(), Tls::new(&b).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dial =
            async { dialler.dialled(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap()).await.unwrap() };
        let accept = async { acceptor.accepted(listener.accept().await.unwrap().0).await.unwrap() };
        let (dialled, accepted) = tokio::join!(dial, accept);
        (dialled, accepted, [a.id(), b.id()])
    }

    #[tokio::test]
    async fn both_sides_know_each_other_and_share_a_secret() {
        let (mut dialled, mut accepted, [a, b]) = pair().await;
        assert_eq!((dialled.peer, accepted.peer), (b, a));
        assert_eq!(dialled.secret, accepted.secret);
        let (other, ..) = pair().await;
        assert_ne!(other.secret, dialled.secret);
        dialled.stream.write_all(b"05 POS-Q.Seq").await.unwrap();
        dialled.stream.shutdown().await.unwrap();
        let mut said = vec![];
        accepted.stream.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, b"05 POS-Q.Seq");
    }

    #[tokio::test]
    async fn whoever_speaks_something_else_is_turned_away() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tls = Tls::new(&Identity::make().unwrap()).unwrap();
        let talk = async {
            let mut tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let _ = tcp.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
            let mut answer = vec![];
            let _ = tcp.read_to_end(&mut answer).await;
        };
        let accept = async { tls.accepted(listener.accept().await.unwrap().0).await.is_err() };
        assert!(tokio::join!(talk, accept).1);
    }
}
