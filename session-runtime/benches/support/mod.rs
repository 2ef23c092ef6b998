//! The operations that are measured, whatever they are measured by.

mod by_hand;
mod cookies;
mod memory;
mod server;
mod values;
mod visitor;

use std::hint::black_box;
use std::rc::Rc;

use session_tests::server::RedisServer;
use tokio::runtime::{Builder, Runtime};

/// Two numbers that only grow, as nanoseconds or allocations: what an operation costs is by how much.
pub(crate) type Gauge = fn() -> [u64; 2];

/// Operations that are measured in turn, and compared.
pub(crate) struct Group {
    pub(crate) title: String,
    /// The first is ours.
    pub(crate) cases: Vec<Case>,
}

/// One operation.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    run: Box<dyn FnMut(u32, Gauge) -> [u64; 2]>,
}

/// How the program was called.
pub(crate) struct Options {
    /// Carry everything out once, measure nothing.
    pub(crate) is_smoke_test: bool,
    pub(crate) is_quick: bool,
    filter: Option<String>,
}

/// What the operations need, for as long as they run.
pub(crate) struct World {
    /// On one thread: the connection's driver takes turns with what waits for it, and no wake-up of another thread blurs the times.
    runtime: Rc<Runtime>,
    server: RedisServer,
}

impl World {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime: Rc::new(runtime), server: RedisServer::start() }
    }

    pub(crate) fn groups(&self, options: &Options) -> Vec<Group> {
        let runtime = &self.runtime;
        let all = [cookies::groups(runtime), values::groups(), memory::groups(runtime), server::groups(self)];
        all.into_iter().flatten().filter(|group| options.selects(group)).collect()
    }
}

impl Group {
    fn new(title: impl Into<String>, cases: impl IntoIterator<Item = Case>) -> Self {
        Self { title: title.into(), cases: cases.into_iter().collect() }
    }
}

impl Case {
    fn new<T>(
        name: &'static str,
        runtime: &Rc<Runtime>,
        mut operation: impl AsyncFnMut() -> T + 'static,
    ) -> Self {
        let runtime = Rc::clone(runtime);
        let run = move |times, gauge: Gauge| {
            runtime.block_on(async {
                let before = gauge();
                for _ in 0..times {
                    black_box(operation().await);
                }
                growth(before, gauge())
            })
        };
        Self { name, run: Box::new(run) }
    }

    /// An operation that uses something up. Making that is not measured.
    fn on<I: 'static, T>(
        name: &'static str,
        make: impl Fn() -> I + 'static,
        operation: impl Fn(I) -> T + 'static,
    ) -> Self {
        let run = move |times, gauge: Gauge| {
            let inputs: Vec<_> = (0..times).map(|_| make()).collect();
            let before = gauge();
            for input in inputs {
                black_box(operation(black_box(input)));
            }
            growth(before, gauge())
        };
        Self { name, run: Box::new(run) }
    }

    /// By how much the gauge grows, per operation, while it is carried out so many times.
    pub(crate) fn run(&mut self, times: u32, gauge: Gauge) -> [f64; 2] {
        (self.run)(times, gauge).map(|growth| growth as f64 / f64::from(times))
    }
}

impl Options {
    /// `[--quick] [FILTER]`. `cargo bench` adds `--bench`; `cargo test` does not, and gets the smoke test.
    pub(crate) fn read() -> Self {
        let mut options = Self { is_smoke_test: true, is_quick: false, filter: None };
        let mut is_forced = false;
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--bench" => options.is_smoke_test = false,
                "--test" => is_forced = true,
                "--quick" => options.is_quick = true,
                option if option.starts_with('-') => eprintln!("{option} means nothing here"),
                filter => options.filter = Some(filter.to_owned()),
            }
        }
        options.is_smoke_test |= is_forced;
        options
    }

    fn selects(&self, group: &Group) -> bool {
        self.filter.as_ref().is_none_or(|filter| group.title.contains(filter))
    }
}

fn growth(before: [u64; 2], after: [u64; 2]) -> [u64; 2] {
    [after[0] - before[0], after[1] - before[1]]
}

/// Carries everything out once.
pub(crate) fn smoke_test(groups: Vec<Group>) {
    let count: usize = groups.iter().map(|group| group.cases.len()).sum();
    for mut case in groups.into_iter().flat_map(|group| group.cases) {
        case.run(1, || [0; 2]);
    }
    println!("{count} operations carried out once");
}
