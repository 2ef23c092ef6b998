//! Sums on a real server, compared with Rust's arithmetic and the memory store. The tests cover
//! numbers of all magnitudes, and the exact text.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use session_runtime::store::{Action, Lookup, Modified, Modify, SessionStore, WriteMode};
use session_runtime::{FieldValue, MemoryStore, RedisStore};
use session_tests::server::RedisServer;
use session_tests::store_suite::fresh_key;
use session_tests::store_suite::{create, set};

const HOUR: Duration = Duration::from_secs(3600);
/// The number of operations in flight.
const AT_ONCE: usize = 500;

/// The value of a field, the action, and the result if known independently of the stores.
struct Case {
    held: String,
    action: Action,
    expected: Option<Modified>,
}

#[tokio::test]
async fn on_integers() {
    let mut random = Random(1);
    let mut cases = Vec::new();
    for (min, max) in [
        (i64::MIN.into(), i64::MAX.into()),
        (0, u64::MAX.into()),
        (i32::MIN.into(), i32::MAX.into()),
        (0, 255),
    ] {
        let edges = edges(min, max);
        let pairs = edges.iter().flat_map(|held| edges.iter().map(|by| (*held, *by)));
        let random_pairs = (0..10_000).map(|_| (random.integer(), random.integer()));
        for (held, by) in pairs.chain(random_pairs) {
            let sum = held.checked_add(by).filter(|sum| (min..=max).contains(sum));
            let expected = if !(min..=max).contains(&held) {
                Modified::NotANumber
            } else {
                sum.map_or(Modified::OutOfRange, |sum| Modified::Sum(sum.to_string().into()))
            };
            let action = Action::AddInteger { by, default: 0, min, max };
            cases.push(Case { held: held.to_string(), action, expected: Some(expected) });
        }
    }
    agree(cases).await;
}

#[tokio::test]
async fn on_numbers_of_64_bits() {
    let mut random = Random(2);
    let edges = floats();
    let pairs = edges.iter().flat_map(|held| edges.iter().map(|by| (*held, *by)));
    let random_pairs = (0..20_000).map(|_| (random.float(), random.float()));
    let cases = pairs.chain(random_pairs).map(|(held, by)| {
        let sum = held + by;
        let expected = if sum.is_finite() {
            Modified::Sum(sum.encode().unwrap())
        } else {
            Modified::OutOfRange
        };
        Case {
            held: if by.to_bits() % 2 == 0 { format!("{held:e}") } else { format!("{held}") },
            action: Action::AddFloat { by, default: 0.0, single: false },
            expected: Some(expected),
        }
    });
    agree(cases.collect()).await;
}

#[tokio::test]
async fn on_numbers_of_32_bits() {
    let mut random = Random(3);
    let edges: Vec<_> = floats()
        .into_iter()
        .map(|number| number as f32)
        .filter(|number| number.is_finite())
        .collect();
    let pairs = edges.iter().flat_map(|held| edges.iter().map(|by| (*held, *by)));
    let random_pairs = (0..20_000).map(|_| (random.single(), random.single()));
    let cases = pairs.chain(random_pairs).map(|(held, by)| {
        let sum = held + by;
        let expected = if sum.is_finite() {
            Modified::Sum(sum.encode().unwrap())
        } else {
            Modified::OutOfRange
        };
        Case {
            held: if by.to_bits() % 2 == 0 { format!("{held:e}") } else { format!("{held}") },
            action: Action::AddFloat { by: by.into(), default: 0.0, single: true },
            expected: Some(expected),
        }
    });
    agree(cases.collect()).await;
}

/// Text half-way between two 32-bit numbers, or so near that 64 bits cannot tell the difference.
#[tokio::test]
async fn on_text_half_way_between_numbers_of_32_bits() {
    let mut random = Random(4);
    let mut cases = Vec::new();
    let singles = [0.0, f32::from_bits(1), f32::MIN_POSITIVE, 1.0, 7.038531e-26, f32::MAX];
    let random_singles: Vec<_> = (0..3_000).map(|_| random.single().abs()).collect();
    for single in singles.into_iter().chain(random_singles) {
        let above = if single == f32::MAX { 2_f64.powi(128) } else { single.next_up().into() };
        let half_way = (f64::from(single) + above) / 2.0;
        let exact = format!("{half_way:.90e}");
        let (digits, exponent) = exact.split_once('e').unwrap();
        let digits = digits.trim_end_matches('0');
        let (kept, last) = digits.split_at(digits.len() - 1);
        let below = last
            .parse()
            .map_or_else(|_| digits.to_owned(), |last: u8| format!("{kept}{}9999", last - 1));
        for text in [
            format!("{digits}0001e{exponent}"),
            format!("-{below}e{exponent}"),
            half_way.to_string(),
            format!("{half_way:.7e}"),
            format!("-{half_way:.8e}"),
            half_way.next_up().to_string(),
            half_way.next_down().to_string(),
            exact.clone(),
        ] {
            let expected = text.parse().ok().filter(|held: &f32| held.is_finite());
            let expected = expected
                .map_or(Modified::NotANumber, |held| Modified::Sum((held + 0.0).encode().unwrap()));
            let action = Action::AddFloat { by: 0.0, default: 0.0, single: true };
            cases.push(Case { held: text, action, expected: Some(expected) });
        }
    }
    agree(cases).await;
}

/// Text of the letters that occur in numbers, in any order.
#[tokio::test]
async fn on_the_definition_of_a_number() {
    let mut random = Random(5);
    let cases = (0..20_000).map(|at| {
        let letters = if at % 2 == 0 { &b"0019+-.eE"[..] } else { b"0123456789.-eEx \0_in" };
        let length = random.below(9);
        let held = (0..length).map(|_| char::from(letters[random.below(letters.len())])).collect();
        let action = match at % 3 {
            0 => {
                Action::AddInteger { by: 1, default: 0, min: i64::MIN.into(), max: i64::MAX.into() }
            }
            kind => Action::AddFloat { by: 0.0, default: 0.0, single: kind == 1 },
        };
        Case { held, action, expected: None }
    });
    agree(cases.collect()).await;
}

/// Texts up to the longest exact text of a number, and beyond. There, the length alone decides.
#[tokio::test]
async fn on_long_texts() {
    let fillings = [
        ("", "1", ""),
        ("0.", "0", "1"),
        ("-0.", "9", ""),
        ("1e-", "0", "1"),
        ("16777217.", "0", "1"),
    ];
    let mut cases = Vec::new();
    for length in [310, 327, 1_076, 1_077, 1_078, 2_000, 100_000] {
        for (before, filling, after) in fillings {
            let held =
                [before, &filling.repeat(length - before.len() - after.len()), after].concat();
            let integer = Action::AddInteger {
                by: 1,
                default: 0,
                min: i64::MIN.into(),
                max: i64::MAX.into(),
            };
            cases.push(Case {
                held: held.clone(),
                action: integer,
                expected: Some(Modified::NotANumber),
            });
            for single in [false, true] {
                let action = Action::AddFloat { by: 1.0, default: 0.0, single };
                let expected = (length > 1_077).then_some(Modified::NotANumber);
                cases.push(Case { held: held.clone(), action, expected });
            }
        }
    }
    agree(cases).await;
}

/// Checks that both stores return and store the same, and that the result is as expected.
async fn agree(cases: Vec<Case>) {
    let server = RedisServer::start();
    let redis = RedisStore::builder(&server.url()).timeout(HOUR).connect().await.unwrap();
    let memory = MemoryStore::new();
    let mut told = [0_usize; 3];
    for cases in cases.chunks(AT_ONCE) {
        let reports = join_all(
            cases.iter().map(|case| async { (run(&redis, case).await, run(&memory, case).await) }),
        );
        for (case, (by_redis, by_memory)) in cases.iter().zip(reports.await) {
            let shown = || {
                format!(
                    "{:.40?} and {}: {} on Redis, {} in memory",
                    case.held,
                    operand(&case.action),
                    show(&by_redis),
                    show(&by_memory)
                )
            };
            assert!(by_redis == by_memory, "{}", shown());
            assert!(
                case.expected.as_ref().is_none_or(|expected| *expected == by_redis.0),
                "{}",
                shown()
            );
            told[match by_redis.0 {
                Modified::Sum(_) => 0,
                Modified::OutOfRange => 1,
                _ => 2,
            }] += 1;
        }
    }
    println!("{} sums, {} out of range, {} not of numbers", told[0], told[1], told[2]);
    assert!(told[0] > 0 && told[2] + told[1] > 0);
}

async fn run(store: &dyn SessionStore, case: &Case) -> (Modified, Option<Bytes>) {
    let key = fresh_key();
    create(store, &key, &[set("a", &case.held)]).await;
    let action = case.action.clone();
    let modify = Modify {
        mode: WriteMode::Existing,
        field: "a",
        alias: None,
        action,
        ttl: None,
        expires_in: HOUR,
        index: None,
        keeps_times: false,
    };
    let Lookup::Found(modified) = store.modify(&key, modify.clone()).await.unwrap() else {
        panic!("it is live")
    };
    let taken =
        store.modify(&key, Modify { action: Action::Replace(None), ..modify }).await.unwrap();
    let Lookup::Found(Modified::Value(held)) = taken else { panic!("it is live") };
    (modified, held)
}

fn show((modified, held): &(Modified, Option<Bytes>)) -> String {
    match modified {
        Modified::Sum(sum) => format!("{sum:?}, holding {held:?}"),
        other => format!("{other:?}, holding {held:?}"),
    }
}

fn operand(action: &Action) -> String {
    match action {
        Action::AddInteger { by, min, max, .. } => format!("{by} within {min}..={max}"),
        Action::AddFloat { by, single, .. } => format!("{by:e} (single: {single})"),
        other => format!("{other:?}"),
    }
}

/// Returns numbers at which sums often go wrong.
fn edges(min: i128, max: i128) -> Vec<i128> {
    let powers = [
        0,
        1 << 31,
        1 << 32,
        1 << 53,
        1 << 63,
        1 << 64,
        10_i128.pow(15),
        10_i128.pow(18),
        min,
        max,
    ];
    let around = |at: i128| [at - 1, at, at + 1];
    let mut edges: Vec<_> =
        powers.into_iter().flat_map(around).flat_map(|edge| [edge, -edge]).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn floats() -> Vec<f64> {
    let smallest = f64::from_bits(1);
    let mut floats = vec![
        0.0,
        0.1,
        0.2,
        0.3,
        1.0,
        1e15,
        1e16,
        1e21,
        1e23,
        123_456_789.125,
        smallest,
        smallest * 3.0,
    ];
    floats.extend([
        f64::MIN_POSITIVE,
        f64::MIN_POSITIVE.next_down(),
        f64::EPSILON,
        f64::MAX,
        f64::MAX.next_down(),
    ]);
    floats.extend([f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), f32::EPSILON].map(f64::from));
    floats.extend([
        2_f64.powi(53) - 1.0,
        2_f64.powi(53),
        2_f64.powi(53) + 2.0,
        2_f64.powi(-44),
        1_688_848.0 + 1389.0 / 2048.0,
    ]);
    floats.iter().flat_map(|float| [*float, -float]).collect()
}

/// Reproducible random numbers, by Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    /// Returns an integer of any length up to 65 bits.
    fn integer(&mut self) -> i128 {
        let magnitude = i128::from(self.next()) >> self.below(64);
        if self.below(2) == 0 { magnitude } else { -magnitude }
    }

    /// Returns any bits, or few decimals, or few bits after the point. The last two include ties.
    fn float(&mut self) -> f64 {
        let float = match self.below(4) {
            0 => self.integer() as f64 / 10_f64.powi(self.below(20) as i32),
            1 => self.integer() as f64 / 2_f64.powi(self.below(24) as i32),
            2 => 2_f64.powi(self.below(2098) as i32 - 1074),
            _ => f64::from_bits(self.next()),
        };
        if float.is_finite() { float } else { self.float() }
    }

    fn single(&mut self) -> f32 {
        let single = match self.below(4) {
            0 => self.integer() as f32 / 10_f32.powi(self.below(20) as i32),
            1 => (self.integer() % (1 << 24)) as f32 / 2_f32.powi(self.below(24) as i32),
            2 => 2_f32.powi(self.below(277) as i32 - 149),
            _ => f32::from_bits(self.next() as u32),
        };
        if single.is_finite() { single } else { self.single() }
    }
}
