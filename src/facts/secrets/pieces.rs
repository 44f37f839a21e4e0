//! How many bytes the pieces of a template take, from either end. Decides nothing else.

use super::spec::Piece;

/// How many bytes at the beginning of `bytes` the pieces take, longer runs first.
pub(super) fn forward(pieces: &[Piece], bytes: &[u8]) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_first() else { return Some(0) };
    match piece {
        Piece::Literal(literal) => Some(literal.len() + forward(rest, bytes.strip_prefix(&literal[..])?)?),
        Piece::Run { class, least, most } => {
            let run = class.run(bytes, *most);
            let shortest = match rest.first() {
                None => run,
                Some(Piece::Literal(next)) if !class.has(next[0]) => run,
                _ => *least,
            };
            (shortest.max(*least)..=run).rev().find_map(|length| Some(length + forward(rest, &bytes[length..])?))
        }
    }
}

/// The same from the end of `bytes` backwards.
pub(super) fn backward(pieces: &[Piece], bytes: &[u8]) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_last() else { return Some(0) };
    match piece {
        Piece::Literal(literal) => Some(literal.len() + backward(rest, bytes.strip_suffix(&literal[..])?)?),
        Piece::Run { class, least, most } => {
            let run = class.run_back(bytes, *most);
            let shortest = match rest.last() {
                None => run,
                Some(Piece::Literal(next)) if next.last().is_some_and(|&last| !class.has(last)) => run,
                _ => *least,
            };
            (shortest.max(*least)..=run)
                .rev()
                .find_map(|length| Some(length + backward(rest, &bytes[..bytes.len() - length])?))
        }
    }
}
