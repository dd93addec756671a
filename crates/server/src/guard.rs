//! Who may ask: pages of this server alone, and from other machines only those who have the token.
//!
//! A page of some other site runs in the same browser and can reach 127.0.0.1. Three things keep it out: it cannot make a
//! name of its own point here, because only names of this machine are answered (DNS rebinding); it cannot send what
//! changes something, because the browser says where a request comes from; and it cannot read or embed what it gets.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tarim_api::wire::app::Allowed;
use tarim_api::{Caller, ErrorCode, WireError};
use tarim_studio::Origin;

use crate::answer;
use crate::routes::Shared;
use crate::token::Token;

/// The cookie that holds the token.
pub(crate) const COOKIE: &str = "tarim_token";

/// The address and what it takes to be answered there.
#[derive(Clone)]
pub struct Access {
    address: SocketAddr,
    /// Needed when other machines can reach the address.
    token: Option<Token>,
}

impl Access {
    /// Access at an address; the token counts when other machines can reach it.
    pub fn new(address: SocketAddr, token: Token) -> Self {
        Self { address, token: (!address.ip().is_loopback()).then_some(token) }
    }

    /// Where a browser finds it, with the token where one is needed.
    pub fn url(&self) -> String {
        let address = match self.address {
            // Every address of this machine; this one is surely there.
            any if any.ip().is_unspecified() => SocketAddr::from(([127, 0, 0, 1], any.port())),
            one => one,
        };
        match &self.token {
            None => format!("http://{address}/"),
            Some(token) => format!("http://{address}/login?token={}", token.as_str()),
        }
    }

    /// Whether a token is needed.
    pub fn is_guarded(&self) -> bool {
        self.token.is_some()
    }

    /// Whether this text is the token that is needed.
    pub(crate) fn takes(&self, text: &str) -> bool {
        self.token.as_ref().is_none_or(|token| token.is(text))
    }

    /// What a browser here may ask for.
    pub(crate) fn caller(&self) -> Caller {
        if self.is_guarded() {
            return Caller::elsewhere();
        }
        let allowed = Allowed { choose_folders: true, reveal: false };
        Caller { allowed, ..Caller::here(Origin::Browser) }
    }

    /// Whether a host may name this server. With a token any may: the cookie belongs to one name alone.
    fn answers_to(&self, host: &str) -> bool {
        if self.is_guarded() {
            return true;
        }
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let bearer = text(headers, header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
        self.token.is_none()
            || bearer.is_some_and(|token| self.takes(token))
            || cookie(headers).is_some_and(|token| self.takes(token))
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// Lets a request through, or says why not.
pub(crate) async fn check(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&shared.access, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    harden(response.headers_mut());
    response
}

fn refusal(access: &Access, request: &Request) -> Option<Response> {
    let headers = request.headers();
    let host = text(headers, header::HOST)
        .or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str));
    let Some(host) = host.filter(|host| access.answers_to(host)) else {
        let error =
            WireError::new(ErrorCode::NotAllowed, "this server answers to names of this machine only")
                .hint("open the address that Tarim printed when it started");
        return Some(answer::forbidden(&error));
    };
    if foreign(headers, host, request.method(), request.uri().path()) {
        let error = WireError::new(ErrorCode::NotAllowed, "the request comes from a page of another site")
            .hint("open Tarim's own page and ask there");
        return Some(answer::forbidden(&error));
    }
    let at_the_door = request.uri().path() == "/login";
    (!at_the_door && !access.knows(headers)).then(answer::unauthorized)
}

/// Whether a page of another site sent it. Browsers say so; other programs, which could say anything, say nothing.
fn foreign(headers: &HeaderMap, host: &str, method: &Method, path: &str) -> bool {
    // A link from another site may open the UI itself, and nothing else.
    let opens = *method == Method::GET
        && matches!(path, "/" | "/login")
        && text_of(headers, "sec-fetch-mode").is_some_and(|it| it == "navigate");
    if text_of(headers, "sec-fetch-site").is_some_and(|it| it == "cross-site" || it == "same-site") && !opens
    {
        return true;
    }
    // Encrypted where a proxy of the person's own stands before it.
    let own = |origin: &str| {
        origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
            .is_some_and(|it| it == host)
    };
    headers.get(header::ORIGIN).is_some_and(|origin| !origin.to_str().is_ok_and(own))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What every answer tells the browser: run no script and show no picture but ours, in no frame, for no other site.
fn harden(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' blob: data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for name in ["cross-origin-resource-policy", "cross-origin-opener-policy"] {
        headers.insert(header::HeaderName::from_static(name), HeaderValue::from_static("same-origin"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(address: &str) -> Access {
        Access::new(address.parse().unwrap(), Token::new([7; 32]))
    }

    #[test]
    fn names_of_this_machine() {
        let check = |host: &str, expected: bool| {
            assert_eq!(access("127.0.0.1:7860").answers_to(host), expected, "{host}");
        };
        check("127.0.0.1:7860", true);
        check("localhost", true);
        check("LOCALHOST:80", true);
        check("[::1]:7860", true);
        check("127.0.0.2:1", true);
        check("evil.example", false);
        check("localhost.evil.example:7860", false);
        check("127.0.0.1.evil.example", false);
        check("10.0.0.1", false);
        check("", false);
    }

    #[test]
    fn only_other_machines_need_the_token() {
        assert!(!access("127.0.0.1:1").is_guarded());
        assert!(!access("[::1]:1").is_guarded());
        assert!(access("0.0.0.0:1").is_guarded());
        assert!(access("192.168.1.2:1").is_guarded());
        assert_eq!(access("127.0.0.1:1").url(), "http://127.0.0.1:1/");
        assert_eq!(access("0.0.0.0:1").url(), format!("http://127.0.0.1:1/login?token={}", "07".repeat(32)));
    }
}
