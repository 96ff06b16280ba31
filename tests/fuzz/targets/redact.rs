//! Known values in a stream: however it is cut, the same comes out, and none of them.

use super::{parts, vars};
use envsec::redact::Known;

/// How the stream is cut, the stream, and values.
pub(super) fn redact(input: &[u8]) {
    let mut parts = parts(input);
    let (cuts, stream) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let vars = vars(parts.take(16));
    let known = Known::new(vars.iter().map(|(name, value)| (name.as_str(), value)));
    let whole = through(&known, [stream].into_iter());
    let (mut rest, mut pieces) = (stream, Vec::new());
    for cut in cuts {
        let (piece, after) = rest.split_at(usize::from(*cut).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    assert_eq!(through(&known, pieces.into_iter()), whole);
    assert_eq!(through(&known, stream.chunks(1)), whole);
    let values = vars.iter().map(|(_, value)| value.expose().trim_ascii());
    // `[V0]` may stand in the middle of a value that has brackets itself.
    for value in values.filter(|value| value.len() >= 4 && !value.contains(['[', ']'])) {
        let value = value.as_bytes();
        assert!(!whole.windows(value.len()).any(|part| part == value), "a value is seen");
    }
}

fn through<'s>(known: &Known, pieces: impl Iterator<Item = &'s [u8]>) -> Vec<u8> {
    let mut redactor = known.redactor();
    let mut out: Vec<u8> = pieces.flat_map(|piece| redactor.push(piece)).collect();
    out.extend(redactor.finish());
    out
}
