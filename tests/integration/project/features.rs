//! Dependencies of each feature of the library. No adapter pulls in the dependencies of another.

use std::collections::BTreeSet;

use session_tests::program::cargo;

const FEATURES: [&str; 12] = [
    "actix",
    "admin",
    "axum",
    "blocking",
    "clap",
    "cli",
    "encryption",
    "metrics",
    "poem",
    "redis",
    "redis-session-compat",
    "tower",
];

/// The features that may pull in a dependency.
const OWNERS: [(&str, &[&str]); 22] = [
    ("actix-http", &["actix"]),
    ("actix-web", &["actix"]),
    ("anstream", &["cli"]),
    ("axum", &["admin"]),
    ("axum-core", &["admin", "axum"]),
    ("clap", &["clap", "cli"]),
    ("clap_mangen", &["cli"]),
    ("http", &["actix", "admin", "axum", "poem", "tower"]),
    ("hyper", &["poem"]),
    ("indicatif", &["cli"]),
    ("jiff", &["admin", "cli"]),
    ("maud", &["admin"]),
    ("metrics", &["metrics"]),
    ("miniz_oxide", &["redis-session-compat"]),
    ("poem", &["poem"]),
    ("pollster", &["blocking"]),
    ("redis", &["cli", "redis", "redis-session-compat"]),
    ("session-derive", &[]),
    ("tower", &["admin"]),
    ("tower-layer", &["admin", "axum", "poem", "tower"]),
    ("tower-service", &["admin", "axum", "poem", "tower"]),
    ("tracing-subscriber", &["cli"]),
];

/// Returns the packages of a program that uses the library with only this feature.
fn packages(feature: &str) -> BTreeSet<String> {
    let output = cargo()
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
fn no_feature_adds_the_dependencies_of_another() {
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
