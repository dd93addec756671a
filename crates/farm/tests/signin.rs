//! Every way to sign in, against a real server, and what is said when it does not work.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::{Server, options, token};
use tarim_farm::{Connection, Farm, FarmError, Secret};
use tempfile::TempDir;

fn connect(connection: &Connection) -> Result<Farm, FarmError> {
    Farm::connect(connection, &options(), token("me"), "me")
}

fn check(good: &Connection, bad: &[Connection]) {
    assert_eq!(connect(good).unwrap().status().unwrap().waiting, 0);
    for bad in bad {
        let error = connect(bad).err().unwrap();
        assert!(matches!(error, FarmError::Refused { .. }), "{error:?}");
        let said = format!("{error} {:?} {bad:?}", error.hint());
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn user_and_password() {
    let server = Server::with("authorization { user: me, password: s3cret }");
    let with = |password: &str| Connection {
        user: Some("me".to_owned()),
        password: Some(Secret::new(password)),
        ..server.connection()
    };
    check(&with("s3cret"), &[with("s3cret-and-wrong"), server.connection()]);
    let inside = Connection::to(format!("nats://me:s3cret@127.0.0.1:{}", server.port));
    assert_eq!(connect(&inside).unwrap().address(), server.url());
}

#[test]
fn tokens() {
    let server = Server::with("authorization { token: s3cret }");
    let with = |secret: &str| Connection { token: Some(Secret::new(secret)), ..server.connection() };
    check(&with("s3cret"), &[with("another"), server.connection()]);
}

#[test]
fn nkeys() {
    let key = nkeys::KeyPair::new_user();
    let server = Server::with(&format!("authorization {{ users = [ {{ nkey: {} }} ] }}", key.public_key()));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, key: &nkeys::KeyPair| {
        let path = folder.path().join(name);
        fs::write(&path, format!("# the seed of my key\n{}\n", key.seed().unwrap())).unwrap();
        Connection { nkey: Some(path), ..server.connection() }
    };
    check(&file("good", &key), &[file("bad", &nkeys::KeyPair::new_user())]);
    let path = folder.path().join("empty");
    fs::write(&path, "nothing in here\n").unwrap();
    let error = connect(&Connection { nkey: Some(path), ..server.connection() }).err().unwrap();
    assert!(error.to_string().ends_with("no line in it is a seed (a user's begins with `SU`)"), "{error}");
}

/// Files of an authority, a server's certificate and a client's.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        fs::write(folder.path().join("ca.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(authority, key);
        for (name, host) in [("server", "127.0.0.1"), ("client", "client.example")] {
            let key = KeyPair::generate().unwrap();
            let made =
                CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
            fs::write(folder.path().join(format!("{name}.pem")), made.pem()).unwrap();
            fs::write(folder.path().join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn server(&self, verify: bool) -> Server {
        let [cert, key, ca] =
            ["server.pem", "server.key", "ca.pem"].map(|name| self.path(name).display().to_string());
        Server::with(&format!(
            "tls {{ cert_file: {cert:?}, key_file: {key:?}, ca_file: {ca:?}, verify: {verify} }}"
        ))
    }
}

#[test]
fn encryption() {
    let certificates = Certificates::make();
    let server = certificates.server(false);
    let url = format!("tls://127.0.0.1:{}", server.port);
    let good = Connection { ca: Some(certificates.path("ca.pem")), ..Connection::to(url.clone()) };
    check(&good, &[]);
    // A server whose authority is unknown is not trusted.
    let error = connect(&Connection::to(url)).err().unwrap();
    assert!(matches!(error, FarmError::Tls { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("--nats-ca"));
}

#[test]
fn client_certificates() {
    let certificates = Certificates::make();
    let server = certificates.server(true);
    let without = Connection {
        ca: Some(certificates.path("ca.pem")),
        ..Connection::to(format!("tls://127.0.0.1:{}", server.port))
    };
    let good = Connection {
        cert: Some(certificates.path("client.pem")),
        key: Some(certificates.path("client.key")),
        ..without.clone()
    };
    check(&good, &[]);
    assert!(connect(&without).is_err());
    let half = Connection { key: None, ..good };
    assert_eq!(
        connect(&half).err().unwrap().to_string(),
        "a client certificate needs both its file and its key's file"
    );
}

#[test]
fn servers_that_cannot_be_a_farm_are_told_apart() {
    // Nobody there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = connect(&Connection::to(format!("127.0.0.1:{port}"))).err().unwrap();
    assert!(matches!(error, FarmError::Unreachable { .. }), "{error:?}");
    assert!(error.is_passing());

    // No JetStream.
    let server = Server::with("jetstream: disabled");
    let error = connect(&server.connection()).err().unwrap();
    assert!(matches!(error, FarmError::NoJetStream { .. }), "{error:?}");

    // Debian's version.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let info = r#"{"server_id":"old","server_name":"old","version":"2.9.10","host":"127.0.0.1","port":1,"headers":true,"max_payload":1048576,"proto":1}"#;
            stream.write_all(format!("INFO {info}\r\n").as_bytes()).unwrap();
            let mut heard = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut heard) {
                if heard[..read].windows(4).any(|word| word == b"PING") {
                    let _ = stream.write_all(b"PONG\r\n");
                }
            }
        }
    });
    let error = connect(&Connection::to(format!("127.0.0.1:{port}"))).err().unwrap();
    assert!(error.to_string().ends_with("is version 2.9.10; the farm needs 2.10 or later"), "{error}");

    // No address at all.
    for bad in ["", "http://farm", "nats://"] {
        let error = connect(&Connection::to(bad)).err().unwrap();
        assert!(matches!(error, FarmError::Address { .. }), "{bad}: {error:?}");
    }
}
