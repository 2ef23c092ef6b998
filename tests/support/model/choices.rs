//! The random numbers that determine a run.

/// The numbers that determine a run. They are drawn from a seed and recorded, or come from an
/// earlier run.
#[derive(Debug)]
pub struct Choices {
    drawn: Vec<u32>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// SplitMix64: small, and random enough for this purpose.
    Random(u64),
    Given(usize),
}

impl Choices {
    /// Draws new numbers from a seed.
    pub fn from_seed(seed: u64) -> Self {
        Self { drawn: Vec::new(), source: Source::Random(seed) }
    }

    /// Replays the numbers of an earlier run. After the last number, all are 0, the simplest
    /// choice.
    pub fn replay(drawn: Vec<u32>) -> Self {
        Self { drawn, source: Source::Given(0) }
    }

    /// Returns the choices of the same run once more.
    pub(crate) fn again(&self) -> Self {
        Self::replay(self.drawn.clone())
    }

    /// Returns all numbers drawn so far.
    pub fn into_drawn(self) -> Vec<u32> {
        self.drawn
    }

    /// Returns a number below `count`. 0 is the simplest choice.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.next() as usize % count.max(1)
    }

    /// Returns true in `share` of 100 cases.
    pub(crate) fn percent(&mut self, share: u32) -> bool {
        self.next() % 100 >= 100 - share
    }

    /// Returns a choice, with a probability by its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, possible: &[(u32, T)]) -> T {
        let mut left = self.next() % possible.iter().map(|(weight, _)| weight).sum::<u32>();
        for (weight, choice) in possible {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        possible[0].1
    }

    fn next(&mut self) -> u32 {
        match &mut self.source {
            Source::Given(at) => {
                *at += 1;
                self.drawn.get(*at - 1).copied().unwrap_or(0)
            }
            Source::Random(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = *state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                let number = ((mixed ^ (mixed >> 31)) >> 33) as u32;
                self.drawn.push(number);
                number
            }
        }
    }
}
