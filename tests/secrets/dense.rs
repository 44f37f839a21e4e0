//! What is dense with candidates hides no secret: one that is planted in the middle is found, or it is told that the file was
//! not looked into wholly.

#[path = "../shared/dense.rs"]
mod pieces;

use super::{EVERYTHING, GENERIC, slowly_by};
use pieces::{CHANGING, PIECES, changing};
use plimsoll::facts::secrets::{Extent, Finds, Hit, generate};

/// Bytes before the secrets, and behind them.
const LENGTH: usize = 40 << 10;

/// Finds of one rule that a part of a file may have.
const ROOM: usize = 64;

fn scanned(file: &[u8]) -> (Vec<Hit>, bool) {
    let mut finds = Finds::default();
    let extent = Extent { at: 0, len: file.len(), entry: 0, file: 0, first: true, last: true, binary: false };
    EVERYTHING.scan(file, 0, true, &[extent], &mut finds);
    let cut = !finds.cut_short(EVERYTHING.rules()).is_empty();
    (finds.hits(EVERYTHING.rules()), cut)
}

#[test]
fn dense_input_hides_no_secret() {
    let token = generate(&EVERYTHING, "github-token", 5).expect("a token");
    let password = format!("db_password = \"{}{}\"", "Tr0ub4", "dor&3xQ");
    let keyed = format!("datadog_api_key = \"{}\"", "0a1b9c2d8e3f7a4b".repeat(2));
    let alike = PIECES.iter().map(|piece| (*piece, piece.repeat(LENGTH / piece.len()).into_bytes()));
    let other = CHANGING.iter().map(|(name, line)| (*name, changing(line, LENGTH)));
    for (name, dense) in alike.chain(other) {
        for between in ["\n", " \n\n"] {
            let plants = format!("{between}{token}{between}{password}{between}{keyed}{between}");
            let file = [&dense[..], plants.as_bytes(), &dense].concat();
            let (hits, cut) = scanned(&file);
            let planted = dense.len() as u64..(dense.len() + plants.len()) as u64;
            // What has a type is told by it, and takes room of what only has a name.
            let takes = |hit: &&Hit, rule: &str| hit.rule == rule || rule == GENERIC;
            let crowded = |rule: &str| hits.iter().filter(|hit| takes(hit, rule)).count() >= ROOM;
            for rule in ["github-token", GENERIC, "datadog-key"] {
                let found = hits.iter().any(|hit| hit.rule == rule && planted.contains(&hit.offset));
                // Names are given nothing but in text.
                let foreign = rule == GENERIC && dense.contains(&0);
                assert!(found || foreign || cut || crowded(rule), "{rule} among {name:?}: {hits:?}");
            }
        }
    }
}

#[test]
fn dense_input_gives_what_the_slow_way_gives() {
    const SHORT: usize = 4 << 10;
    let password = format!("db_password = \"{}{}\"", "Tr0ub4", "dor&3xQ");
    let alike = PIECES.iter().map(|piece| (*piece, piece.repeat(SHORT / piece.len()).into_bytes()));
    let other = CHANGING.iter().map(|(name, line)| (*name, changing(line, SHORT)));
    for (number, (name, dense)) in alike.chain(other).enumerate() {
        let between = ["\n", " ", "; "][number % 3];
        let file = [&dense[..], between.as_bytes(), password.as_bytes(), between.as_bytes(), &dense].concat();
        assert_eq!(scanned(&file).0, slowly_by(&EVERYTHING, &file), "{name:?}");
    }
}
