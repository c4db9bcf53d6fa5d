//! Request heads of HTTP/1.1 as they came over the wire: what hyper tolerates, or refuses without a word, is refused with problem details.
//!
//! hyper takes a bare LF for the end of a line, as RFC 9112 allows, where a proxy in front may see one line: the two then disagree about
//! what a request is. It also answers heads that are too long with a 431 without a body. So the bytes of heads are looked at on their way to
//! hyper. Nothing is parsed but the ends of lines: how long a body is, so where the next head starts, is what hyper has understood.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use axum::{
    extract::Request,
    http::{HeaderValue, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::error::ApiError;

/// The most bytes of a request's head; well below what hyper takes, which refuses longer ones without a body.
pub(super) const MAX_HEAD_BYTES: usize = 48 << 10;
/// The most header lines of a request, one less than hyper takes.
const MAX_LINES: usize = 99;
/// So much of a head that is too long is read and thrown away, so that its client is still there to read the answer.
const MAX_DISCARDED_BYTES: usize = 1 << 20;
/// The first line of a connection of HTTP/2.
const HTTP2_LINE: &[u8] = b"PRI * HTTP/2.0";

/// What is wrong with a request's head. It is among the extensions of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadFault {
    BareLineFeed,
    TargetTooLong,
    TooLong,
    Host { n_given: usize },
}

/// Among the extensions of a request after which the connection must end: the next head could not be told from its body.
#[derive(Clone, Copy, Debug)]
struct CloseAfter;

/// The heads of a connection.
#[derive(Clone, Default)]
pub(super) struct Heads(Arc<Mutex<Scanner>>);

/// A connection whose heads are looked at.
pub(super) struct Watched<S> {
    stream: S,
    heads: Heads,
    /// What hyper reads next, in place of what came.
    instead: &'static [u8],
}

#[derive(Debug, Default)]
struct Scanner {
    state: State,
    line: Line,
    n_lines: usize,
    n_bytes: usize,
    fault: Option<HeadFault>,
    /// What came after a head whose request hyper has not handed over yet.
    after: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    /// A head has ended.
    Asked,
    Body {
        left_bytes: u64,
    },
    /// Nothing is looked at any more: HTTP/2, or a body of unknown length.
    Over,
    /// The rest of the head is thrown away.
    Discarding {
        n_discarded: usize,
        /// What hyper gets at its end.
        ending: &'static [u8],
    },
    /// Its client has nothing more to say.
    Ended,
}

/// The line of a head that is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    n_bytes: usize,
    ends_with_cr: bool,
    n_spaces: usize,
    has_colon: bool,
    /// Whether it is so far the first line of HTTP/2.
    is_http2: bool,
}

/// What is to be done with bytes that came.
struct Passed {
    /// So many of them go on to hyper.
    n_kept: usize,
    /// Then these do.
    instead: &'static [u8],
}

impl Heads {
    /// The connection, with its heads looked at.
    pub(super) fn watch<S>(stream: S) -> (Watched<S>, Self) {
        let heads = Self::default();
        (Watched { stream, heads: heads.clone(), instead: b"" }, heads)
    }

    /// Notes in a request that hyper hands over what is wrong with its head.
    pub(super) fn note<B>(&self, request: &mut axum::http::Request<B>) {
        if request.version() > Version::HTTP_11 {
            return;
        }
        let n_given = request.headers().get_all(header::HOST).iter().count();
        let is_host_good = n_given == 1 || (n_given == 0 && request.version() < Version::HTTP_11);
        let mut scanner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = scanner.fault.or((!is_host_good).then_some(HeadFault::Host { n_given }));
        if let Some(fault) = fault {
            request.extensions_mut().insert(fault);
        }
        let length = request.headers().get(header::CONTENT_LENGTH).map(|value| value.to_str().ok()?.parse().ok());
        let is_known = !request.headers().contains_key(header::TRANSFER_ENCODING) && length != Some(None);
        if fault.is_some() || !is_known || scanner.state != State::Asked {
            request.extensions_mut().insert(CloseAfter);
            if scanner.state != State::Ended {
                scanner.state = State::Over;
            }
            return;
        }
        scanner.begin_body(length.flatten().unwrap_or(0));
    }
}

/// Refuses requests with a fault in their head, and ends connections that must end.
pub(super) async fn refuse_faulty(request: Request, next: Next) -> Response {
    let closes = request.extensions().get::<CloseAfter>().is_some();
    let mut response = match request.extensions().get::<HeadFault>() {
        Some(fault) => ApiError::from(*fault).into_response(),
        None => next.run(request).await,
    };
    if closes {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let mut scanner = this.heads.0.lock().unwrap_or_else(PoisonError::into_inner);
        if this.instead.is_empty() {
            if scanner.state == State::Ended {
                // hyper would take an end for a client that has gone, and the answer is still to be sent.
                return Poll::Pending;
            }
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            let came = buf.filled().get(before..).unwrap_or_default();
            if came.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let passed = scanner.pass(came);
            buf.set_filled(before + passed.n_kept);
            this.instead = passed.instead;
            if passed.n_kept > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        if this.instead.is_empty() {
            // All of it was thrown away: for more, after others had their turn.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (now, later) = this.instead.split_at(this.instead.len().min(buf.remaining()));
        buf.put_slice(now);
        this.instead = later;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl From<HeadFault> for ApiError {
    fn from(fault: HeadFault) -> Self {
        match fault {
            HeadFault::BareLineFeed => {
                Self::bad_request("a line of the request's head ends with LF alone; lines end with CR LF")
            }
            HeadFault::Host { n_given: 0 } => Self::bad_request("the request has no Host header"),
            HeadFault::Host { n_given } => {
                Self::bad_request(format!("the request has {n_given} Host headers; send exactly one"))
            }
            HeadFault::TargetTooLong => Self::UriTooLong { limit_bytes: MAX_HEAD_BYTES },
            HeadFault::TooLong => Self::HeadTooLarge { limit_bytes: MAX_HEAD_BYTES, limit_lines: MAX_LINES },
        }
    }
}

impl Scanner {
    /// Looks at bytes that came.
    fn pass(&mut self, bytes: &[u8]) -> Passed {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match self.state {
                State::Over => break,
                State::Asked => {
                    self.after.extend_from_slice(rest);
                    break;
                }
                State::Body { left_bytes } => {
                    let n_bytes = usize::try_from(left_bytes).unwrap_or(usize::MAX).min(rest.len());
                    at += n_bytes;
                    let left_bytes = left_bytes - n_bytes as u64;
                    self.state = if left_bytes == 0 { State::Head } else { State::Body { left_bytes } };
                }
                State::Head => {
                    self.take(rest[0]);
                    at += 1;
                    if let Some(ending) = self.cut() {
                        self.state = State::Discarding { n_discarded: 0, ending };
                    }
                }
                State::Discarding { n_discarded, ending } => {
                    return Passed { n_kept: at, instead: self.discard(rest, n_discarded, ending) };
                }
                State::Ended => return Passed { n_kept: at, instead: b"" },
            }
        }
        Passed { n_kept: bytes.len(), instead: b"" }
    }

    /// The next byte of a head.
    fn take(&mut self, byte: u8) {
        self.n_bytes += 1;
        if byte != b'\n' {
            let line = &mut self.line;
            line.is_http2 = (line.is_http2 || line.n_bytes == 0)
                && HTTP2_LINE.iter().chain(b"\r").nth(line.n_bytes).is_some_and(|expected| *expected == byte);
            line.n_bytes += 1;
            line.ends_with_cr = byte == b'\r';
            line.n_spaces += usize::from(byte == b' ');
            line.has_colon |= byte == b':';
            return;
        }
        let line = std::mem::take(&mut self.line);
        if !line.ends_with_cr {
            self.fault.get_or_insert(HeadFault::BareLineFeed);
        }
        let is_empty = line.n_bytes == usize::from(line.ends_with_cr);
        if self.n_lines == 0 && line.is_http2 && line.n_bytes == HTTP2_LINE.len() + 1 {
            self.state = State::Over;
        } else if !is_empty {
            self.n_lines += 1;
        } else if self.n_lines > 0 {
            // Empty lines before a head are none of it.
            self.end_head();
        }
    }

    fn end_head(&mut self) {
        self.state = State::Asked;
        (self.n_lines, self.n_bytes) = (0, 0);
    }

    /// What makes an end of a head that is too long, where hyper understands what came before: in the target, or in a value.
    fn cut(&mut self) -> Option<&'static [u8]> {
        if self.state != State::Head || self.n_bytes <= MAX_HEAD_BYTES && self.n_lines <= MAX_LINES {
            return None;
        }
        if self.n_lines > 0 {
            (self.line.has_colon && !self.line.ends_with_cr).then_some(())?;
            self.fault = Some(HeadFault::TooLong);
            return Some(b"\r\n\r\n");
        }
        (self.line.n_spaces == 1).then_some(())?;
        self.fault = Some(HeadFault::TargetTooLong);
        Some(b" HTTP/1.1\r\n\r\n")
    }

    /// Throws the rest of a head away; returns what hyper gets at its end.
    fn discard(&mut self, rest: &[u8], n_before: usize, ending: &'static [u8]) -> &'static [u8] {
        for &byte in rest {
            self.take(byte);
            if self.state == State::Asked {
                break;
            }
        }
        let n_discarded = n_before + rest.len();
        if self.state == State::Asked || n_discarded > MAX_DISCARDED_BYTES {
            self.state = State::Ended;
            return ending;
        }
        self.state = State::Discarding { n_discarded, ending };
        b""
    }

    /// The request of the last head is hyper's by now, and its body of this length follows.
    fn begin_body(&mut self, left_bytes: u64) {
        self.state = if left_bytes == 0 { State::Head } else { State::Body { left_bytes } };
        let after = std::mem::take(&mut self.after);
        self.pass(&after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What hyper gets of bytes that come in pieces of that length, and the fault of each head that ends.
    fn pass(bytes: &[u8], piece: usize, bodies: &[u64]) -> (Vec<u8>, Vec<Option<HeadFault>>) {
        let (mut scanner, mut passed, mut faults) = (Scanner::default(), Vec::new(), Vec::new());
        let mut bodies = bodies.iter();
        for piece in bytes.chunks(piece) {
            let Passed { n_kept, instead } = scanner.pass(piece);
            passed.extend_from_slice(&piece[..n_kept]);
            passed.extend_from_slice(instead);
            while scanner.state == State::Asked {
                faults.push(scanner.fault);
                scanner.begin_body(*bodies.next().unwrap());
            }
        }
        if scanner.state == State::Ended {
            faults.push(scanner.fault);
        }
        (passed, faults)
    }

    #[test]
    fn heads_are_told_from_bodies_however_they_come() {
        let bytes = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nA: b\r\n\r\n\n\nbody\nGET / HTTP/1.1\nHost: a\r\n\r\n";
        for piece in [1, 2, 3, 7, 1000] {
            let (passed, faults) = pass(bytes, piece, &[0, 7, 0]);
            assert_eq!(passed, bytes, "{piece}");
            assert_eq!(faults, [None, None, Some(HeadFault::BareLineFeed)], "{piece}");
        }
    }

    #[test]
    fn every_bare_line_feed_is_seen() {
        for bytes in [
            "\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\n\r\n",
            "GET / HTTP/1.1\r\n\n",
            "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
        ] {
            assert_eq!(pass(bytes.as_bytes(), 5, &[0]).1, [Some(HeadFault::BareLineFeed)], "{bytes:?}");
        }
    }

    #[test]
    fn heads_that_are_too_long_get_an_end() {
        let long = "x".repeat(100_000);
        let many: String = (0..200).map(|i| format!("A{i}: b\r\n")).collect();
        for (head, fault) in [
            (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), HeadFault::TargetTooLong),
            (format!("GET / HTTP/1.1\r\nA: {long}\r\nHost: a\r\n\r\n"), HeadFault::TooLong),
            (format!("GET / HTTP/1.1\r\n{many}\r\n"), HeadFault::TooLong),
        ] {
            for piece in [1, 1000, 1 << 20] {
                let (passed, faults) = pass(head.as_bytes(), piece, &[]);
                assert_eq!(faults, [Some(fault)]);
                assert!(
                    passed.ends_with(b"\r\n\r\n")
                        && passed.len() <= MAX_HEAD_BYTES + 20
                        && passed.split(|b| *b == b'\n').count() <= 103,
                    "{}",
                    passed.len()
                );
            }
        }
        let endless = "GET / HTTP/1.1\r\nA: ".to_owned() + &"x".repeat(4 << 20);
        assert_eq!(pass(endless.as_bytes(), 1000, &[]).1, [Some(HeadFault::TooLong)]);
    }

    #[test]
    fn http2_is_left_alone() {
        let bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\n\n";
        let (passed, faults) = pass(bytes, 4, &[]);
        assert_eq!((passed.as_slice(), faults.len()), (bytes.as_slice(), 0));
    }
}
