//! What each feature of the library has a program depend on: no adapter drags another's
//! dependencies in.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

const FEATURES: [&str; 9] = [
    "actix",
    "axum",
    "blocking",
    "clap",
    "metrics",
    "poem",
    "redis",
    "redis-session-compat",
    "tower",
];

/// What a dependency is there for. None but these features may bring it.
const OWNERS: [(&str, &[&str]); 17] = [
    ("actix-http", &["actix"]),
    ("actix-web", &["actix"]),
    ("axum", &[]),
    ("axum-core", &["axum"]),
    ("clap", &["clap"]),
    ("http", &["actix", "axum", "poem", "tower"]),
    ("hyper", &["poem"]),
    ("metrics", &["metrics"]),
    ("miniz_oxide", &["redis-session-compat"]),
    ("poem", &["poem"]),
    ("pollster", &["blocking"]),
    ("redis", &["redis", "redis-session-compat"]),
    ("session-derive", &[]),
    ("tokio", &["actix", "blocking", "poem", "redis", "redis-session-compat"]),
    ("tower", &[]),
    ("tower-layer", &["axum", "poem", "tower"]),
    ("tower-service", &["axum", "poem", "tower"]),
];

/// The packages that a program is built of which has the library with this feature alone.
fn packages(feature: &str) -> BTreeSet<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "-p", "session-runtime", "--no-default-features", "--features", feature])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn no_feature_drags_the_dependencies_of_another_in() {
    for feature in FEATURES {
        let packages = packages(feature);
        assert!(packages.contains("session-runtime"));
        for (package, owners) in OWNERS {
            assert_eq!(
                packages.contains(package),
                owners.contains(&feature),
                "{feature}: {package}"
            );
        }
    }
}
