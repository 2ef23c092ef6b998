//! `default` with every kind of expression. Some need the feature `full` of syn.

use ::std::option::Option;
use ::std::string::String;
use ::std::vec::Vec;

use ::renamed::Session;
use ::serde::{Deserialize, Serialize};

const LIMIT: u8 = 20;

/// Fields with these defaults.
#[derive(Debug, Session)]
#[session(crate = ::renamed)]
pub struct Defaults {
    #[session(default = 3)]
    literal: i64,
    #[session(default = LIMIT.wrapping_add(1))]
    call: u8,
    #[session(default = if LIMIT > 3 { 'a' } else { 'b' })]
    branch: char,
    #[session(default = {
        let text = "a block";
        text.repeat(2)
    })]
    block: String,
    #[session(default = {
        let next = |number: u32| number + 1;
        next(2)
    })]
    closure: u32,
    #[session(default = match LIMIT {
        0 => 1,
        1..=9 => 2,
        _ => 3,
    })]
    choice: u8,
    #[session(default = Self::initial())]
    own: u16,
    #[session(default)]
    of_type: u64,
    #[session(default = Option::Some(3))]
    optional: Option<u8>,
    #[session(json, default = Theme { dark: true })]
    theme: Theme,
    #[session(json, default = Option::Some(Theme { dark: false }))]
    maybe_theme: Option<Theme>,
    #[session(json, default = ::std::vec![Theme { dark: false }; 3])]
    themes: Vec<Theme>,
}

impl Defaults {
    const fn initial() -> u16 {
        7
    }
}

/// A type without `Default`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Theme {
    dark: bool,
}
