//! Wrong options, and stores without an answer.

use std::fs::File;
use std::process::Stdio;

use session_runtime::{SessionConfig, Sessions};
use session_tests::acceptance::World;
use session_tests::cookies::{SECRET, id};
use session_tests::server::RedisServer;
use session_tests::sessionctl::{command, run, run_with};

use crate::account::{Account, sign_in, tag};
use crate::ctl;

#[test]
fn wrong_options_are_refused_without_a_store() {
    for args in [
        &["end"][..],
        &["end", "short"],
        &["end", "aaaaaaaa", "--by", "user=1"],
        &["end", "--created", "yesterday", "aaaaaaaa"],
        &["show"],
        &["show", "a/b*c[d]"],
        &["list", "--by", "user"],
        &["list", "--limit", "0"],
        &["list", "--rate", "0"],
        &["watch", "--limit", "0"],
        &["list", "--field", "user"],
        &["--store", "memory:", "list"],
        &["--store", "http://localhost", "count"],
        &["--prefix", "a b", "count"],
        &["explode"],
    ] {
        let url = ["--store", "redis://127.0.0.1:1"];
        let run = match args[0] {
            "--store" => run(args),
            _ => run(&[&url[..], args].concat()),
        };
        assert!(!run.refused(2).is_empty());
    }
}

#[test]
fn a_store_that_is_away_is_an_exit_code_of_its_own() {
    for args in [&["count"][..], &["list"], &["show", "aaaaaaaa"], &["end", "--by", "user=1"]] {
        let away = run_with(args, &[("SESSION_REDIS", "redis://:secret@127.0.0.1:1")]).refused(3);
        assert!(away.contains("127.0.0.1:1") && !away.contains("secret"), "{away}");
    }
}

/// The tag of a session under another prefix is found nowhere.
#[tokio::test]
async fn a_wrong_prefix_is_named() {
    let world = World::redis().await;
    let url = world.server().unwrap().url();
    let session = sign_in(&world.sessions(|config| config), 42).await;
    let place = format!("under the prefix `other` on {url}");
    let with_prefix = |args: &[&str]| ctl(&world, &[&["--prefix", "other"], args].concat());
    for args in
        [&["list"][..], &["count"], &["list", "--by", "user=42"], &["count", "--by", "user=42"]]
    {
        let found = with_prefix(args);
        assert_eq!(found.code, Some(0));
        assert!(
            found.stderr.starts_with("hint: no session") && found.stderr.contains(&place),
            "{found:?}"
        );
    }
    for args in
        [&["show", &tag(&session)][..], &["end", &tag(&session)], &["end", "--by", "user=42"]]
    {
        let message = with_prefix(args).refused(4);
        assert!(message.contains(&place), "{message}");
    }
    assert!(session.exists().await.unwrap());
}

/// Tags are random, but nothing prevents two sessions with the same.
#[tokio::test]
async fn a_tag_that_two_sessions_share_is_ended_by_its_creation_time() {
    let world = World::redis().await;
    let sessions = world.sessions(|config| config);
    let hour = std::time::Duration::from_secs(3_600);
    let [older, newer] = [world.now() - hour, world.now()].map(|created| id(created, 0));
    let newer = format!("{}{}", &older[..8], &newer[8..]);
    for id in [&older, &newer] {
        world.begin_under(id).await;
    }
    let tag = &older[..8];
    let shown = ctl(&world, &["show", "--", tag]).ok();
    let created: Vec<_> =
        shown.lines().filter_map(|line| line.strip_prefix("created     ")).collect();
    assert_eq!(created.len(), 2, "{shown}");
    let refused = ctl(&world, &["end", "--", tag]).refused(2);
    assert!(created.iter().all(|time| refused.contains(&format!("--created {time}"))), "{refused}");
    assert_eq!(ctl(&world, &["count"]).ok(), "2\n");
    let unknown = ["--created", "2001-01-01T00:00:00Z", "--", tag];
    assert!(ctl(&world, &[&["end"], &unknown[..]].concat()).refused(4).contains("created at 2001"));
    let shown = ctl(&world, &["show", "--created", created[0], "--", tag]).ok();
    assert!(shown.contains(created[0]) && !shown.contains(created[1]), "{shown}");
    assert_eq!(ctl(&world, &["end", "--created", created[0], "--", tag]).ok(), "ended 1\n");
    for (id, is_live) in [(older, false), (newer, true)] {
        let session = sessions.open_id::<Account>(&id.parse().unwrap());
        assert_eq!(session.exists().await.unwrap(), is_live);
    }
}

/// A session that is older than the usual lifetimes may be live with those of the application.
#[tokio::test]
async fn sessions_with_long_lifetimes_are_found() {
    let world = World::redis().await;
    let year = std::time::Duration::from_secs(365 * 86_400);
    let old = id(world.now() - year, 9);
    world.begin_under(&old).await;
    assert_eq!(ctl(&world, &["count"]).ok(), "1\n");
    assert!(ctl(&world, &["show", "--", &old[..8]]).ok().contains("lifetime    class 9"));
    assert_eq!(ctl(&world, &["end", "--", &old[..8]]).ok(), "ended 1\n");
    assert_eq!(ctl(&world, &["count"]).stdout, "0\n");
}

/// Characters that a terminal acts upon or hides.
const HARMFUL: [char; 6] = ['\x1b', '\x07', '\x7f', '\u{9b}', '\u{202e}', '\u{e0041}'];

/// The program knows no schema, so nothing is undecodable but an encrypted value.
#[tokio::test]
async fn values_that_no_schema_decodes_are_shown() {
    let world = World::redis().await;
    let session = sign_in(&world.sessions(|config| config), 42).await;
    let key = world.server().unwrap().keys().into_iter().find(|key| !key.contains(":by:")).unwrap();
    let server = world.server().unwrap();
    let value = "\x1b[2J\x07".to_owned() + &String::from_iter(HARMFUL);
    for (field, value) in [
        ("user", &b"not a number"[..]),
        ("email", &[0xf5, 1, 2]),
        ("n\x1bame\u{202e}", value.as_bytes()),
    ] {
        let _: i64 = server.cli(&[b"HSET", key.as_bytes(), field.as_bytes(), value]);
    }
    let _: i64 = server.cli(&[b"HSET", key.as_bytes(), b"\xff\xfe", b"name"]);
    let secret = [("SESSION_SECRET", SECRET)];
    let shown = crate::ctl_with(&world, &["show", "--values", &tag(&session)], &secret).ok();
    assert!(shown.contains("  not a number\n"), "{shown}");
    assert!(shown.contains("  not readable: it was altered"), "{shown}");
    assert!(
        shown.contains("n\\u{1b}ame\\u{202e}") && shown.contains("\\u{1b}[2J\\u{7}"),
        "{shown}"
    );
    assert!(!shown.contains(HARMFUL), "{shown}");
    // JSON says the same, with other escapes.
    let shown = ctl(&world, &["show", "--values", "--json", &tag(&session)]);
    assert!(!shown.stdout.contains(HARMFUL), "{shown:?}");
    let shown = shown.json();
    let fields = shown["fields"].as_array().unwrap();
    let field = fields.iter().find(|field| field["name"] == "n\x1bame\u{202e}").unwrap();
    assert_eq!(field["text"], value);
}

#[tokio::test]
async fn a_reader_that_leaves_is_no_error() {
    let world = World::redis().await;
    let sessions = world.sessions(|config| config);
    crate::many::sign_in_all(&sessions, 3_000, 1).await;
    let mut program = command(&["list"]);
    program.env("SESSION_REDIS", world.server().unwrap().url());
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// The exit code tells the result all the same.
#[tokio::test]
async fn messages_that_nobody_can_read_are_left_out() {
    let world = World::redis().await;
    for (args, code) in [(&["show", "aaaaaaaa"][..], 4), (&["count"], 0), (&["end", "short"], 2)] {
        let mut program = command(args);
        program.env("SESSION_REDIS", world.server().unwrap().url());
        let full = File::options().write(true).open("/dev/full").unwrap();
        let status = program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(full).status();
        assert_eq!(status.unwrap().code(), Some(code), "{args:?}");
    }
}

/// An end that fails for some sessions says so, and another ends the rest.
#[tokio::test]
async fn an_end_that_fails_in_the_middle_is_finished_by_another() {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config).await.unwrap();
    for _ in 0..3 {
        sign_in(&sessions, 42).await;
    }
    let url = server.url();
    let end = || run_with(&["end", "--by", "user=42", "--yes"], &[("SESSION_REDIS", &url)]);
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-unlink", "-set"]);
    let failed = end().refused(1);
    assert!(!failed.contains("were tried"), "{failed}");
    assert!(failed.contains("to end the rest") && failed.contains("+set +unlink"), "{failed}");
    let _: String = server.cli(&["ACL", "SETUSER", "default", "+@all"]);
    assert_eq!(end().ok(), "ended 3\n");
}
