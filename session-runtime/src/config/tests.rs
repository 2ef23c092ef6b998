//! Configurations that are accepted and refused at start, and the messages of refusals.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Debug;

use proptest::prelude::*;

use super::*;
use crate::error::Error;
use crate::id::LifetimeId;

const SECOND: Duration = Duration::from_secs(1);

const SECRET: &str = "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=";

fn config() -> SessionConfig {
    SessionConfig::new().store("memory:").secret(SECRET)
}

/// Asserts that the configuration is refused with a message that contains each of these texts.
#[track_caller]
fn refused(config: SessionConfig, says: &[&str]) -> String {
    let error =
        config.resolve().err().unwrap_or_else(|| panic!("accepted, though it should say {says:?}"));
    assert!(error.is_config());
    let message = error.to_string();
    for part in says {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
    message
}

#[test]
fn defaults_are_pinned() {
    let settings = SessionConfig::new().secret(SECRET).resolve().unwrap();
    #[cfg(feature = "redis")]
    assert_eq!(settings.store, StoreUrl::Redis("redis://127.0.0.1:6379".into()));
    assert_eq!(&*settings.prefix, "app");
    assert_eq!(settings.lifetimes, Lifetimes::default());
    assert_eq!(
        settings.cookie,
        CookieSettings {
            name: "__Host-session-id".into(),
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            path: "/".into(),
            domain: None,
            partitioned: false,
        }
    );
    let transport = TransportSettings {
        transport: Transport::Cookie,
        request_header: TokenHeader::Authorization,
        response_header: "session-token".into(),
        is_interchangeable: false,
    };
    assert_eq!(settings.transport, transport);
    assert_eq!(settings.trusted_origins, TrustedOrigins::default());
    assert_eq!(settings.secrets.len(), 1);
    assert_eq!(settings.timeout, Duration::from_secs(1));
    assert_eq!(settings.end_check_interval, Duration::from_secs(60));
    assert_eq!((settings.near_cache, settings.refresh_below), (None, None));
    let cache = NearCache { max_bytes: 64 << 20, max_staleness: SECOND, max_age: 30 * SECOND };
    assert_eq!(NearCache::new(), cache);
    assert_eq!((settings.max_value_size, settings.max_batch_size), (1 << 20, 4 << 20));
}

#[test]
fn same_site_is_shown_as_it_is_written() {
    let shown =
        [SameSite::Strict, SameSite::Lax, SameSite::None].map(|same_site| same_site.to_string());
    assert_eq!(shown, ["Strict", "Lax", "None"]);
}

#[test]
fn a_transport_is_read_as_it_is_shown() {
    for transport in [Transport::Cookie, Transport::Bearer, Transport::CookieOrBearer] {
        assert_eq!(transport.to_string().parse::<Transport>().unwrap(), transport);
    }
    assert_eq!("COOKIE_OR_BEARER".parse::<Transport>().unwrap(), Transport::CookieOrBearer);
    for other in ["", "cookies", "token", "cookie,bearer", "cookie or bearer"] {
        assert!(other.parse::<Transport>().is_err_and(|error| error.is_config()), "{other}");
    }
}

#[test]
fn tokens_have_headers_of_their_own() {
    let header = |name: &str| {
        let settings = config().token_header(name).resolve().unwrap();
        settings.transport.request_header.name().to_owned()
    };
    assert_eq!(header("X-Session-Token"), "x-session-token");
    assert_eq!(header("AUTHORIZATION"), "authorization");
    for name in ["X-Api-Key", "Api-Key", "X-Auth", "Session"] {
        assert_eq!(header(name), name.to_ascii_lowercase());
    }
    for name in [
        "",
        "X Token",
        "X-Tökên",
        "token:",
        "Cookie",
        "accept",
        "Sec-Token",
        "Host",
        "X-Forwarded-Host",
        "CDN-Cache-Control",
        "Save-Data",
        "WWW-Authenticate",
        "Proxy-Authorization",
    ] {
        refused(config().token_header(name), &["`token_header` must"]);
        refused(config().token_response_header(name), &["`token_response_header` must"]);
    }
    let named = config().token_response_header("X-New-Token").resolve().unwrap();
    assert_eq!(&*named.transport.response_header, "x-new-token");
}

#[cfg(feature = "redis-session-compat")]
#[test]
fn tokens_need_a_secret_also_beside_the_cookies_of_python() {
    let python = TornadoCookie::new("the application's cookie_secret, whole");
    let config = || {
        let formats = [CookieFormat::Tornado(python.clone())];
        SessionConfig::new().store("redis://localhost").cookie_formats(formats)
    };
    assert!(config().resolve().is_ok());
    refused(config().transport(Transport::CookieOrBearer), &["SESSION_SECRET", "is required"]);
}

#[test]
fn the_default_name_has_the_host_prefix_if_attributes_allow() {
    let name = |config: SessionConfig| config.resolve().unwrap().cookie.name;
    assert_eq!(&*name(config().cookie_partitioned(true)), "__Host-session-id");
    assert_eq!(&*name(config().cookie_secure(false)), "session-id");
    assert_eq!(&*name(config().cookie_path("/app")), "session-id");
    assert_eq!(&*name(config().cookie_domain("example.com")), "session-id");
    assert_eq!(&*name(config().cookie_name("sid")), "sid");
}

/// Behaviour: insecure configuration.
#[test]
fn impossible_cookies_are_refused_with_advice() {
    let host = config().cookie_name("__Host-id");
    let host_says = [
        "`cookie_name` (SESSION_COOKIE_ID)",
        "`__Host-`",
        "`cookie_secure`",
        "`cookie_domain`",
        "`cookie_path`",
    ];
    refused(host.clone().cookie_domain("example.com"), &host_says);
    refused(host.clone().cookie_secure(false), &host_says);
    refused(host.clone().cookie_path("/app"), &host_says);
    refused(config().cookie_name("__hOST-id").cookie_secure(false), &host_says);
    assert!(host.resolve().is_ok());

    let secure = config().cookie_name("__Secure-id");
    refused(secure.clone().cookie_secure(false), &["`__Secure-`", "turn `cookie_secure` on"]);
    refused(config().cookie_name("__SECURE-id").cookie_secure(false), &["`__Secure-`"]);
    assert!(secure.cookie_path("/app").cookie_domain("example.com").resolve().is_ok());

    let none = config().cookie_same_site(SameSite::None);
    refused(
        none.clone().cookie_secure(false),
        &["`cookie_same_site` (SESSION_COOKIE_SAME_SITE)", "`cookie_secure`", "`Lax`"],
    );
    assert!(none.resolve().is_ok());

    let partitioned = config().cookie_partitioned(true);
    refused(partitioned.clone().cookie_secure(false), &["`cookie_partitioned`", "`cookie_secure`"]);
    assert!(partitioned.resolve().is_ok());
}

#[test]
fn cookie_names_are_tokens() {
    for bad in [
        "", "a b", "a=b", "a;b", "a,b", "a\"b", "a\\b", "a\tb", "a\r\nb", "a\0b", "é", "(a)",
        "a/b", "a@b", "a:b",
    ] {
        let message = refused(
            config().cookie_name(bad),
            &["SESSION_COOKIE_ID", "must consist of letters, digits"],
        );
        assert!(bad.len() < 3 || !message.contains(bad));
    }
    for good in ["a", "session_id", "SID.1", "!#$%&'*+-.^_`|~"] {
        assert_eq!(&*config().cookie_name(good).resolve().unwrap().cookie.name, good);
    }
}

#[test]
fn paths_cannot_break_out_of_their_attribute() {
    let long = format!("/{}", "a".repeat(1024));
    for bad in ["", "app", "/a;Secure", "/a\r\nSet-Cookie: a=b", "/\0", "/\u{7f}", "/é", &long] {
        refused(
            config().cookie_path(bad),
            &["`cookie_path` (SESSION_COOKIE_PATH)", "starts with `/`"],
        );
    }
    for good in ["/", "/app", "/a b/c,d=e", &long[..1024]] {
        assert_eq!(&*config().cookie_path(good).resolve().unwrap().cookie.path, good);
    }
}

#[test]
fn domains_are_host_names() {
    let long = "a".repeat(1025);
    for bad in [
        "",
        ".",
        "a..b",
        "..a",
        "a.",
        "a;b",
        "a b",
        "a\n",
        "https://a",
        "a:80",
        "a/b",
        "bücher.example",
        "a,b",
        &long,
    ] {
        refused(
            config().cookie_domain(bad),
            &["`cookie_domain` (SESSION_COOKIE_DOMAIN)", "such as `example.com`"],
        );
    }
    for (good, means) in [
        ("example.com", "example.com"),
        (".example.com", "example.com"),
        ("EXAMPLE.com", "example.com"),
        ("localhost", "localhost"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
    ] {
        assert_eq!(
            config().cookie_domain(good).resolve().unwrap().cookie.domain.as_deref(),
            Some(means)
        );
    }
}

#[test]
fn trusted_origins_have_the_form_that_browsers_send() {
    let given = [" HTTPS://Shop.Example:443 ", "http://[::0:1]:3000"];
    let origins = config().trusted_origins(given).resolve().unwrap().trusted_origins;
    for (origin, expected) in [
        ("https://shop.example", true),
        ("https://Shop.Example", true),
        ("http://[::1]:3000", true),
        ("http://shop.example", false),
        ("https://shop.example:8443", false),
        ("https://shop.example.net", false),
        ("https://www.shop.example", false),
        ("shop.example", false),
        ("null", false),
        ("", false),
    ] {
        assert_eq!(origins.contain(origin.as_bytes()), expected, "{origin}");
    }
    let named = "`trusted_origins` (SESSION_TRUSTED_ORIGINS) must be a list of origins";
    for wrong in ["null", "*", "https://*.shop.example", "https://shop.example/", "shop.example"] {
        refused(config().trusted_origins(["https://shop.example", wrong]), &[named]);
    }
}

#[test]
fn prefixes_with_special_characters_are_refused() {
    for bad in ["", "a{b", "a}b", "{}", " ", "a b", "a\tb", "a\u{a0}b", "a\nb", "a\0b", "a\u{85}b"]
    {
        refused(
            config().prefix(bad),
            &["`prefix` (SESSION_REDIS_PREFIX)", "must be a non-empty text without braces"],
        );
    }
    for good in ["app", "shop:test", "é", "a-b_c.d", "a:"] {
        assert_eq!(&*config().prefix(good).resolve().unwrap().prefix, good);
    }
}

#[test]
fn limits_have_ranges() {
    let (nanosecond, short) = (Duration::from_nanos(1), Duration::from_micros(9_999));
    for bad in [Duration::ZERO, nanosecond, short, Duration::from_secs(3601), Duration::MAX] {
        refused(
            config().timeout(bad),
            &["`timeout` (SESSION_TIMEOUT_MS) must be 10 milliseconds to 1 hour"],
        );
    }
    let (nearly_second, hour) = (Duration::from_millis(999), Duration::from_secs(3600));
    for bad in [Duration::ZERO, nearly_second, hour + nanosecond, Duration::MAX] {
        refused(
            config().end_check_interval(bad),
            &["`end_check_interval` (SESSION_END_CHECK_INTERVAL) must be 1 second to 1 hour"],
        );
    }
    for good in [Duration::from_secs(1), hour] {
        let settings = config().end_check_interval(good).resolve().unwrap();
        assert_eq!(settings.end_check_interval, good);
    }
    for bad in [0, (512 << 20) + 1, usize::MAX] {
        refused(config().max_value_size(bad), &["`max_value_size` must be 1 byte to 512 MiB"]);
    }
    for bad in [0, (1 << 20) - 1, usize::MAX] {
        refused(
            config().max_batch_size(bad),
            &["`max_batch_size` must be a size from `max_value_size`"],
        );
    }
    let most = config()
        .max_batch_size(512 << 20)
        .max_value_size(512 << 20)
        .timeout(Duration::from_secs(3600));
    assert!(most.resolve().is_ok());
    assert!(
        config()
            .max_value_size(1)
            .max_batch_size(1)
            .timeout(Duration::from_millis(10))
            .resolve()
            .is_ok()
    );
}

#[test]
fn a_near_cache_has_limits() {
    let cache = NearCache::new;
    let with = |cache| config().near_cache(cache);
    for bad in [1, (1 << 20) - 1, (1 << 40) + 1, usize::MAX] {
        refused(
            with(cache().max_bytes(bad)),
            &["`near_cache.max_bytes` (SESSION_NEAR_CACHE) must be 1 MiB to 1 TiB, or 0"],
        );
    }
    let (nanosecond, minute) = (Duration::from_nanos(1), Duration::from_secs(60));
    let hour = 60 * minute;
    let longest = cache().max_age(hour);
    for bad in [Duration::ZERO, Duration::from_micros(9_999), minute + nanosecond, Duration::MAX] {
        refused(
            with(longest.max_staleness(bad)),
            &["`near_cache.max_staleness` (SESSION_NEAR_CACHE_MAX_STALENESS_MS) must be 10 \
               milliseconds to 1 minute"],
        );
    }
    for bad in [Duration::ZERO, SECOND - nanosecond, hour + nanosecond, Duration::MAX] {
        refused(with(cache().max_age(bad)), &["`near_cache.max_age` must be 1 second to 1 hour"]);
    }
    let shortest = cache().max_age(SECOND).max_staleness(Duration::from_millis(10));
    for good in [shortest.max_bytes(1 << 20), longest.max_staleness(minute).max_bytes(1 << 40)] {
        assert_eq!(with(good).resolve().unwrap().near_cache, Some(good));
    }
}

#[test]
fn a_change_is_noticed_before_a_value_is_too_old() {
    let cache = NearCache::new().max_age(2 * SECOND);
    assert!(config().near_cache(cache.max_staleness(2 * SECOND)).resolve().is_ok());
    refused(
        config().near_cache(cache.max_staleness(3 * SECOND)),
        &["(SESSION_NEAR_CACHE_MAX_STALENESS_MS) must be no longer than `near_cache.max_age`"],
    );
}

#[test]
fn a_near_cache_without_bytes_is_off() {
    let off = NearCache::new().max_bytes(0);
    assert_eq!(config().near_cache(off).resolve().unwrap().near_cache, None);
    let (size, staleness) = ("SESSION_NEAR_CACHE", "SESSION_NEAR_CACHE_MAX_STALENESS_MS");
    let file = r#"{ "store": "memory:", "near_cache": {} }"#;
    let cache_over_file = |variables: &[(&str, &str)]| {
        let file: SessionConfig = serde_json::from_str(file).unwrap();
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        let config = file.overridden_by(|_| None, |name| variables.get(name).map(OsString::from));
        config.unwrap().resolve().unwrap().near_cache
    };
    assert_eq!(cache_over_file(&[]), Some(NearCache::new()));
    assert_eq!(cache_over_file(&[(size, "0")]), None);
    assert_eq!(cache_over_file(&[(size, "0"), (staleness, "1")]), None);
    let short = NearCache::new().max_staleness(Duration::from_millis(20));
    assert_eq!(cache_over_file(&[(staleness, "20")]), Some(short));
    assert_eq!(cache_over_file(&[(size, "1048576")]), Some(NearCache::new().max_bytes(1_048_576)));
}

#[test]
fn impossible_lifetimes_and_stores_are_refused_at_start() {
    refused(config().lifetime(Lifetime::normal().idle(Duration::ZERO)), &["SESSION_EXPIRE"]);
    refused(config().lifetime(Lifetime::custom(3).max(Duration::MAX)), &["`max`"]);
    refused(config().store("mysql://h"), &["SESSION_REDIS"]);
}

/// Creation times are whole seconds. A lifetime of less than a minute could be lost between two
/// machines, or between two seconds.
#[test]
fn a_lifetime_that_is_too_short_is_refused_from_every_source() {
    let takes = ["`max`", "must be 1 minute to 3,650 days"];
    let file = |json: &str| config().lifetime(serde_json::from_str(json).unwrap());
    refused(config().lifetime(Lifetime::remembered().max(Duration::from_secs(59))), &takes);
    refused(file(r#"{ "class": "normal", "max": 1 }"#), &takes);
    refused(file(r#"{ "class": 7, "max": 0 }"#), &takes);
    refused(from_env(&[("SESSION_MAX_LIFETIME", "1")]).unwrap().secret(SECRET), &takes);
    refused(
        file(r#"{ "class": "remembered", "idle": 0 }"#),
        &["`idle`", "must be 1 second to 3,650 days"],
    );
    assert!(file(r#"{ "class": "normal", "idle": 1, "max": 60 }"#).resolve().is_ok());
}

/// Behaviour: insecure configuration.
#[cfg(feature = "redis")]
#[test]
fn without_a_secret_only_memory_starts() {
    assert!(SessionConfig::new().store("memory:").resolve().unwrap().secrets.is_empty());
    refused(
        SessionConfig::new(),
        &["`secret` (SESSION_SECRET) is required", "`memory:`", "openssl rand"],
    );
    refused(SessionConfig::new().store("redis://h"), &["SESSION_SECRET"]);
    refused(config().secret(""), &["SESSION_SECRET", "is empty"]);
}

fn secrets(text: &str) -> Result<Vec<Vec<u8>>, Error> {
    let settings = config().secret(text).resolve()?;
    Ok(settings.secrets.iter().map(|secret| secret.expose().to_vec()).collect())
}

const TEXT: &str = "9fQ2#kW8z!Lm4@Xc7&Vb1*Nj6^Hg3%Ty";

#[test]
fn secrets_are_text_base64_or_hexadecimal() {
    let bytes: Vec<u8> = (0u8..32).map(|i| i.wrapping_mul(83) ^ 0xf9).collect();
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    for text in [
        format!("base64:{}", STANDARD.encode(&bytes)),
        format!("base64:{}", STANDARD.encode(&bytes).trim_end_matches('=')),
        format!("base64:{}", URL_SAFE_NO_PAD.encode(&bytes)),
        format!("hex:{hex}"),
        format!("hex:{}", hex.to_uppercase()),
        format!("  hex:{hex}\n"),
    ] {
        assert_eq!(secrets(&text).unwrap(), [&bytes[..]], "{text}");
    }
    assert_eq!(secrets(TEXT).unwrap(), [TEXT.as_bytes()]);
}

#[test]
fn several_secrets_keep_their_order() {
    let read = secrets(&format!("{TEXT} , {SECRET}")).unwrap();
    assert_eq!((read.len(), &read[0][..], read[1].len()), (2, TEXT.as_bytes(), 32));
    for bad in [
        format!("{TEXT},"),
        format!(",{TEXT}"),
        format!("{TEXT},,{SECRET}"),
        format!("{TEXT},short"),
    ] {
        assert!(secrets(&bad).is_err());
    }
}

#[cfg(feature = "encryption")]
fn encryption_keys(config: SessionConfig) -> Vec<Vec<u8>> {
    let settings = config.resolve().unwrap();
    settings.encryption_keys.iter().map(|key| key.expose().to_vec()).collect()
}

/// A former secret at the end decrypts the fields from before there were own keys.
#[cfg(feature = "encryption")]
#[test]
fn encryption_keys_have_the_forms_and_the_order_of_secrets() {
    assert!(encryption_keys(config()).is_empty(), "the keys come from the secrets");
    for (text, other) in [
        (TEXT, "hex:8f1d0f3c6b2a4e5d9c7b8a69584736251413f2e1d0cfbead9c8b7a6958473625"),
        (SECRET, TEXT),
    ] {
        let list = format!(" {text} , {other}\n");
        let keys = secrets(&list).unwrap();
        assert_eq!(encryption_keys(config().encryption_keys(&*list)), keys);
        let variables = [
            ("SESSION_REDIS", "memory:"),
            ("SESSION_SECRET", other),
            ("SESSION_ENCRYPTION_KEYS", &list),
        ];
        let read = from_env(&variables).unwrap();
        assert_eq!(encryption_keys(read.clone()), keys);
        let secrets = read.resolve().unwrap().secrets;
        assert_eq!((secrets.len(), secrets[0].expose()), (1, &*keys[1]), "secrets are apart");
    }
    // The quotes belong to the key, as with a secret.
    let quoted = format!("\"{TEXT}\"");
    let variables = [("SESSION_REDIS", "memory:"), ("SESSION_ENCRYPTION_KEYS", &*quoted)];
    assert_eq!(encryption_keys(from_env(&variables).unwrap()), [quoted.as_bytes()]);
}

/// Behaviour: insecure configuration.
#[cfg(feature = "encryption")]
#[test]
fn encryption_keys_that_cannot_be_used_are_refused_and_not_quoted() {
    let named = "`encryption_keys` (SESSION_ENCRYPTION_KEYS)";
    for (keys, says) in [
        ("", "is empty"),
        ("HUNTER2", "is too short: at least 32 bytes"),
        ("base64:HUNTER2*", "must have valid base64"),
        ("hex:HUNTER2", "must have pairs of hexadecimal digits"),
        ("'hex:HUNTER2'", "is in quotes"),
        ("base64:Lh9fVYHXTq0XOCrdKu4SYmk4\nHUNTER2", "contains a line break"),
        ("HUNTER2HUNTER2HUNTER2HUNTER2HUNTER2", "repeats the same characters"),
        ("HUNTER2-changeme-8f14e45fceea167a5a3", "looks like a placeholder"),
    ] {
        for list in [keys.to_owned(), format!("{TEXT},{keys}")] {
            let message =
                refused(config().encryption_keys(list), &[named, says, "openssl rand -base64 32"]);
            assert!(!message.contains("HUNTER2"), "{message}");
            assert!(!message.contains("SESSION_SECRET"), "{message}");
        }
    }
}

#[cfg(feature = "encryption")]
#[test]
fn an_encryption_key_is_in_the_list_once() {
    use base64::Engine as _;

    let twice = "`encryption_keys` (SESSION_ENCRYPTION_KEYS) names the same key twice";
    let base64 = base64::engine::general_purpose::STANDARD.encode(TEXT);
    for list in [
        format!("{TEXT},{TEXT}"),
        format!("{TEXT},{SECRET},{TEXT}"),
        format!("{SECRET},{TEXT}, base64:{base64}"),
    ] {
        let message = refused(config().encryption_keys(list), &[twice]);
        assert!(!message.contains("9fQ2") && !message.contains(&base64), "{message}");
    }
    assert_eq!(encryption_keys(config().encryption_keys(SECRET)).len(), 1, "also the secret");
}

/// Behaviour: insecure configuration.
#[test]
fn weak_secrets_are_refused_and_not_quoted() {
    let nul = format!("base64:{}", "A".repeat(44));
    let short = "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6Udmg==";
    for (weak, says) in [
        ("", "is empty"),
        (" ", "is empty"),
        ("base64:", "is empty"),
        ("9fQ2#kW8z!Lm4@Xc7&Vb1*Nj6^Hg3%T", "is too short"),
        (short, "is too short"),
        ("hex:00ff", "is too short"),
        ("base64:not*base64*at*all*not*base64*at*all", "must have valid base64"),
        ("hex:0g0g0g0g0g0g0g0g0g0g0g0g0g0g0g0g0g0g", "must have pairs of hexadecimal digits"),
        ("hex:aéa", "must have pairs of hexadecimal digits"),
        ("hex:abc", "must have pairs of hexadecimal digits"),
        // A line break as in the output of `openssl rand -base64 64`.
        ("base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43h\nEoO2a6UdmlQ=", "contains a line break"),
        (
            "hex:8f1d0f3c6b2a4e5d9c7b8a6958473625\r\n1413f2e1d0cfbead9c8b7a6958473625",
            "contains a line break",
        ),
        (
            "9fQ2#kW8z!Lm4@Xc7&Vb1*Nj6^Hg3%Ty\nk#x7!q@k$x%7^q&k*x(7)q-k_x=7+q{k}x[7]q",
            "contains a line break",
        ),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "repeats the same characters"),
        ("abababababababababababababababababab", "repeats the same characters"),
        ("secretsecretsecretsecretsecretsecret", "repeats the same characters"),
        ("changeme-changeme-changeme-changeme-", "repeats the same characters"),
        ("0123456789abcdef0123456789abcdef", "repeats the same characters"),
        (&nul, "repeats the same characters"),
        ("aaaaaaaaaaaaaaabaaaaaaaaaaaabbbbbbba", "too few different characters"),
        ("abcdefghijklmnopqrstuvwxyz012345", "is a simple sequence of characters"),
        ("zyxwvutsrqponmlkjihgfedcba987654", "is a simple sequence of characters"),
        (
            "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "is a simple sequence of characters",
        ),
        ("changeme", "is too short"),
        ("changeme-0123456789-0123456789-012345", "looks like a placeholder"),
        ("Change-Me! 9fQ2#kW8z!Lm4@Xc7&Vb1*Nj6", "looks like a placeholder"),
        ("secret-0123456789-0123456789-0123456", "looks like a placeholder"),
        ("SECRET_KEY_BASE_FOR_THIS_APPLICATION", "looks like a placeholder"),
        ("my-very-long-session-signing-key-1234567890", "looks like a placeholder"),
        ("this is the session key for production", "looks like a placeholder"),
        ("your-secret-key-at-least-32-characters-long", "looks like a placeholder"),
        ("p@ssword-password-PASSWORD-passw0rd!", "looks like a placeholder"),
        ("session-token-abcdefghijklmnopqrstuvwx", "looks like a placeholder"),
    ] {
        let message = refused(
            config().secret(weak),
            &["`secret` (SESSION_SECRET)", says, "openssl rand -base64 32"],
        );
        let hidden = weak.trim_start_matches("base64:").trim_start_matches("hex:").trim();
        assert!(hidden.is_empty() || !message.contains(hidden), "{message}");
    }
}

#[test]
fn words_in_an_otherwise_strong_secret_are_accepted() {
    for good in [
        "9fQ2kW8zLm4XcSecretVb1Nj6Hg3Ty5Rp0",
        "session:8f14e45fceea167a5a36dedd4bea2543",
        "$*H+!*KeyC?\\r\"/{&&C$.\"`+1d%%\"=!?y",
        "#$%&*()_+{}a[]b|:;<>?Key./~!@^-=a\"b'",
        // As many letters in words as outside.
        "session-value-bytes-k3v9qz7x2m8w4j6r1",
    ] {
        assert!(secrets(good).is_ok(), "{good}");
    }
}

#[test]
fn a_secret_may_contain_a_few_weak_patterns() {
    for good in [
        // Six different characters.
        "acebdfbeadcfacfebdafcedbfaecbdfa",
        "abcdefghijklmnopk3v9qzt7x2m8w4j6r1",
        // Letters that repeat themselves, without a word.
        "k#x7!q@k$x%7^q&k*x(7)q-k_x=7+q{k}x[7]q:k;x<7>q",
    ] {
        assert!(secrets(good).is_ok(), "{good}");
    }
}

proptest! {
    /// Covers the usual ways to generate a secret.
    #[test]
    fn random_secrets_are_accepted(bytes: [u8; 32], letters in "[A-Za-z0-9]{32}", digits in "[0-9a-f]{64}", any in "[!-+\\--~]{32}") {
        use base64::Engine as _;
        let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
        for text in [base64.clone(), format!("base64:{base64}"), letters, digits.clone(), format!("hex:{digits}"), any] {
            prop_assert!(secrets(&text).is_ok());
        }
    }

    #[test]
    fn any_texts_are_accepted_or_refused(text: String) {
        let every = config().store(&*text).secret(&*text).prefix(&*text).cookie_name(&*text);
        let _ = every.cookie_path(&*text).cookie_domain(&*text).resolve();
        let _ = config().secret(format!("base64:{text}")).resolve();
        let _ = config().secret(format!("hex:{text}")).resolve();
    }
}

#[test]
fn nothing_shows_secrets_and_passwords() {
    let config = SessionConfig::new().store("redis://user:HUNTER2@h").secret(TEXT);
    let shown = format!("{config:?} {:?}", config.clone().resolve());
    assert!(!shown.contains("HUNTER2") && !shown.contains("9fQ2"), "{shown}");
    assert!(!shown.contains("57, 102, 81"), "{shown}");
    let secrets = (SecretText::from(TEXT.to_owned()), Secret::random().unwrap());
    assert_eq!(format!("{secrets:?}"), "(…, Secret(…))");
}

#[cfg(feature = "encryption")]
#[test]
fn nothing_shows_encryption_keys() {
    let config = config().encryption_keys(TEXT);
    let settings = config.clone().resolve().unwrap();
    let shown = format!("{config:?} {settings:?}");
    assert!(!shown.contains("9fQ2") && !shown.contains("57, 102, 81"), "{shown}");
    assert!(shown.contains("encryption_keys: Some(…)"), "{shown}");
    assert!(shown.contains("encryption_keys: [Secret(…)]"), "{shown}");
}

fn from_env(variables: &[(&str, &str)]) -> Result<SessionConfig, Error> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    SessionConfig::new().overridden_by(|_| None, |name| variables.get(name).map(OsString::from))
}

#[track_caller]
fn same(one: impl Debug, other: impl Debug) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

#[test]
fn every_variable_is_read() {
    let secs = Duration::from_secs;
    let new = SessionConfig::new;
    for (variable, value, config) in [
        ("SESSION_REDIS", "memory:", new().store("memory:")),
        ("SESSION_REDIS_PREFIX", "shop", new().prefix("shop")),
        ("SESSION_EXPIRE", "60", new().lifetime(Lifetime::normal().idle(secs(60)))),
        ("SESSION_MAX_LIFETIME", "3600", new().lifetime(Lifetime::normal().max(secs(3600)))),
        ("SESSION_COOKIE_ID", "sid", new().cookie_name("sid")),
        ("SESSION_COOKIE_SECURE", "False", new().cookie_secure(false)),
        ("SESSION_COOKIE_SECURE", "true", new().cookie_secure(true)),
        ("SESSION_COOKIE_HTTP_ONLY", "0", new().cookie_http_only(false)),
        ("SESSION_COOKIE_HTTP_ONLY", "no", new().cookie_http_only(false)),
        ("SESSION_COOKIE_HTTP_ONLY", "off", new().cookie_http_only(false)),
        ("SESSION_COOKIE_SAME_SITE", "strict", new().cookie_same_site(SameSite::Strict)),
        ("SESSION_COOKIE_SAME_SITE", "None", new().cookie_same_site(SameSite::None)),
        ("SESSION_COOKIE_PATH", "/app", new().cookie_path("/app")),
        ("SESSION_COOKIE_DOMAIN", "example.com", new().cookie_domain("example.com")),
        ("SESSION_TRANSPORT", "bearer", new().transport(Transport::Bearer)),
        ("SESSION_TRANSPORT", "cookie-or-bearer", new().transport(Transport::CookieOrBearer)),
        ("SESSION_TRANSPORT", "CookieOrBearer", new().transport(Transport::CookieOrBearer)),
        (
            "SESSION_TRUSTED_ORIGINS",
            "https://a.example,http://b.example:81",
            new().trusted_origins(["https://a.example", "http://b.example:81"]),
        ),
        ("SESSION_SECRET", TEXT, new().secret(TEXT)),
        ("SESSION_TIMEOUT_MS", "250", new().timeout(Duration::from_millis(250))),
        ("SESSION_END_CHECK_INTERVAL", "10", new().end_check_interval(secs(10))),
        ("SESSION_NEAR_CACHE", "1048576", new().near_cache(NearCache::new().max_bytes(1_048_576))),
        ("SESSION_NEAR_CACHE", "0", new().near_cache(NearCache::new().max_bytes(0))),
        ("SESSION_NEAR_CACHE_MAX_STALENESS_MS", "50", new()),
    ] {
        same(from_env(&[(variable, value)]).unwrap(), config);
    }
    #[cfg(feature = "encryption")]
    same(from_env(&[("SESSION_ENCRYPTION_KEYS", TEXT)]).unwrap(), new().encryption_keys(TEXT));
}

#[cfg(not(feature = "encryption"))]
#[test]
fn encryption_keys_need_the_feature() {
    let error = from_env(&[("SESSION_ENCRYPTION_KEYS", TEXT)]).unwrap_err();
    let named = "(SESSION_ENCRYPTION_KEYS) needs the crate feature `encryption`";
    assert!(error.is_config() && error.to_string().contains(named), "{error}");
    let file = serde_json::json!({ "encryption_keys": TEXT });
    let error = serde_json::from_value::<SessionConfig>(file).unwrap_err().to_string();
    assert!(error.contains("`encryption_keys` needs the crate feature `encryption`"), "{error}");
    assert!(!error.contains("9fQ2"), "{error}");
}

#[cfg(feature = "redis-session-compat")]
#[test]
fn python_formats_use_python_defaults() {
    let resolved = |variables: &[(&str, &str)]| from_env(variables).unwrap().resolve().unwrap();
    let key = (" whole, raw \n", "SECRET_KEY");
    let python = resolved(&[
        ("SESSION_REDIS", "memory:"),
        ("SESSION_COOKIE_FORMATS", " flask, tornado"),
        (key.1, key.0),
    ]);
    assert_eq!((&*python.prefix, &*python.cookie.name), ("redis", "session-id"));
    let shown = format!("{:?}", python.cookie_formats);
    assert!(
        shown.contains("Flask") && shown.contains("Tornado") && !shown.contains("whole"),
        "{shown}"
    );
    assert!(!python.needs_secret());
    let both = [
        ("SESSION_COOKIE_FORMATS", "native,tornado"),
        ("SESSION_REDIS_PREFIX", "shop"),
        (key.1, key.0),
    ];
    let both =
        resolved(&[&both[..], &[("SESSION_SECRET", TEXT), ("SESSION_COOKIE_ID", "sid")]].concat());
    assert_eq!((&*both.prefix, &*both.cookie.name, both.needs_secret()), ("shop", "sid", true));
    let native = resolved(&[("SESSION_REDIS", "memory:"), (key.1, key.0)]);
    assert_eq!((&*native.prefix, &*native.cookie.name), ("app", "__Host-session-id"));
}

#[cfg(feature = "redis-session-compat")]
#[test]
fn formats_that_cannot_be_used_are_refused() {
    use super::TornadoCookie;

    for (formats, secret_key, says) in [
        ("tornado", "", "`secret_key` (SECRET_KEY) is required"),
        ("native,flask", "", "`secret_key` (SECRET_KEY) is required"),
        (
            "django",
            "key",
            "(SESSION_COOKIE_FORMATS) must be one or more of `native`, `tornado`, `flask`",
        ),
        ("tornado,", "key", "(SESSION_COOKIE_FORMATS) must be"),
        ("unsigned-forgeable-ids,tornado", "key", "is never written"),
    ] {
        let variables = [
            ("SESSION_COOKIE_FORMATS", formats),
            ("SECRET_KEY", secret_key),
            ("SESSION_SECRET", TEXT),
        ];
        let error = from_env(&variables).and_then(|config| config.resolve()).unwrap_err();
        assert!(error.is_config() && error.to_string().contains(says), "{error}");
    }
    let ageless = TornadoCookie::new("key").max_age_days(0);
    let ageless =
        SessionConfig::new().secret(TEXT).cookie_formats([CookieFormat::Tornado(ageless)]);
    assert!(
        ageless
            .resolve()
            .unwrap_err()
            .to_string()
            .contains("must have a `max_age_days` of 1 or more")
    );
    let none = SessionConfig::new().secret(TEXT).cookie_formats([]).resolve().unwrap_err();
    assert!(none.to_string().contains("must name at least one format"), "{none}");
}

#[cfg(feature = "redis-session-compat")]
#[test]
fn formats_are_read_from_files() {
    let read = |json: &str| serde_json::from_str::<SessionConfig>(json);
    let config = read(
        r#"{"cookie_formats": [{"format": "tornado", "secret_key": "k", "key_version": 3, "max_age_days": 7},
            {"format": "flask", "secret_key": "k"}, {"format": "native"}, {"format": "unsigned-forgeable-ids"}]}"#,
    );
    let shown = format!("{:?}", config.unwrap());
    assert!(shown.contains("key_version: Some(3), max_age_days: 7"), "{shown}");
    for mistaken in [
        r#"{"cookie_formats": [{"format": "tornado", "secret_key": {"base64": "no base64"}}]}"#,
        r#"{"cookie_formats": [{"format": "tornado", "secret_key": {"hex": "00"}}]}"#,
        r#"{"cookie_formats": [{"format": "tornado", "secret_key": 1}]}"#,
        r#"{"cookie_formats": [{"format": "flask", "secret_key": "k", "max_age_days": 7}]}"#,
        r#"{"cookie_formats": [{"format": "django"}]}"#,
    ] {
        assert!(read(mistaken).is_err(), "{mistaken}");
    }
}

#[cfg(feature = "redis-session-compat")]
#[test]
fn a_secret_key_missing_in_a_file_comes_from_the_environment() {
    use super::python::SecretKey;

    let file = || {
        let json = r#"{"store": "memory:", "cookie_formats": [{"format": "tornado"}, {"format": "flask", "secret_key": "own"},
            {"format": "flask", "secret_key": {"base64": "_w"}}]}"#;
        serde_json::from_str::<SessionConfig>(json).unwrap()
    };
    let keys = |config: SessionConfig| {
        config.resolve().map(|settings| {
            let keys = settings.cookie_formats.iter().map(|format| match format {
                CookieFormat::Tornado(cookie) => cookie.secret_key.clone(),
                CookieFormat::Flask(cookie) => cookie.secret_key.clone(),
                _ => SecretKey::default(),
            });
            keys.map(|key| key.expose("test").to_vec()).collect::<Vec<_>>()
        })
    };
    let error = keys(file()).unwrap_err();
    assert!(error.to_string().contains("`secret_key` (SECRET_KEY) is required"), "{error}");
    let over = |variable: Option<OsString>| {
        file()
            .overridden_by(|_| None, |name| variable.clone().filter(|_| name == "SECRET_KEY"))
            .unwrap()
    };
    assert!(keys(over(Some("".into()))).is_err());
    let expected = |key: &[u8]| vec![key.to_vec(), b"own".to_vec(), vec![0xff]];
    assert_eq!(keys(over(Some(" whole ".into()))).unwrap(), expected(b" whole "));
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;

        let bytes = OsString::from_vec(vec![0xff, 0xfe]);
        assert_eq!(keys(over(Some(bytes))).unwrap(), expected(&[0xff, 0xfe]));
    }
}

#[test]
fn variables_reach_the_settings() {
    let settings = from_env(&[
        ("SESSION_REDIS", "memory:"),
        ("SESSION_SECRET", TEXT),
        ("SESSION_EXPIRE", " 60\n"),
    ]);
    let settings = settings.unwrap().resolve().unwrap();
    assert!(matches!(settings.store, StoreUrl::Memory(_)));
    assert_eq!(settings.secrets[0].expose(), TEXT.as_bytes());
    assert_eq!(
        settings.lifetimes.get(LifetimeId::default()).unwrap().idle,
        Duration::from_secs(60)
    );
}

const VARIABLES: [&str; 17] = [
    "SESSION_REDIS",
    "SESSION_REDIS_PREFIX",
    "SESSION_EXPIRE",
    "SESSION_MAX_LIFETIME",
    "SESSION_COOKIE_ID",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_HTTP_ONLY",
    "SESSION_COOKIE_SAME_SITE",
    "SESSION_TRUSTED_ORIGINS",
    "SESSION_SECRET",
    "SESSION_ENCRYPTION_KEYS",
    "SESSION_TIMEOUT_MS",
    "SESSION_END_CHECK_INTERVAL",
    "SESSION_NEAR_CACHE",
    "SESSION_NEAR_CACHE_MAX_STALENESS_MS",
];

#[test]
fn empty_variables_are_not_set() {
    for value in ["", " ", "\n"] {
        let all = VARIABLES.map(|variable| (variable, value));
        same(from_env(&all).unwrap(), from_env(&[]).unwrap());
    }
    same(from_env(&[]).unwrap().resolve().map(|_| ()), SessionConfig::new().resolve().map(|_| ()));
}

#[test]
fn a_variable_that_cannot_be_used_is_named_and_not_quoted() {
    for (variable, value, takes) in [
        ("SESSION_REDIS", "HUNTER2", "must be `memory:`, or the URL"),
        ("SESSION_REDIS_PREFIX", "HUNTER2{", "must be a non-empty text without braces"),
        ("SESSION_EXPIRE", "HUNTER2", "must be a whole number of seconds"),
        ("SESSION_EXPIRE", "1.5", "must be a whole number of seconds"),
        ("SESSION_EXPIRE", "-1", "must be a whole number of seconds"),
        ("SESSION_EXPIRE", "99999999999999999999", "must be a whole number of seconds"),
        ("SESSION_EXPIRE", "0", "must be 1 second to 3,650 days"),
        ("SESSION_EXPIRE", "18446744073709551615", "must be 1 second to 3,650 days"),
        ("SESSION_MAX_LIFETIME", "HUNTER2", "must be a whole number of seconds"),
        ("SESSION_MAX_LIFETIME", "0", "must be 1 minute to 3,650 days"),
        ("SESSION_MAX_LIFETIME", "1", "must be 1 minute to 3,650 days"),
        ("SESSION_MAX_LIFETIME", "59", "must be 1 minute to 3,650 days"),
        ("SESSION_COOKIE_ID", "HUNTER2=", "must consist of letters, digits"),
        ("SESSION_COOKIE_SECURE", "HUNTER2", "must be `true` or `false`"),
        ("SESSION_COOKIE_DOMAIN", "HUNTER2/", "must be an ASCII host name"),
        ("SESSION_COOKIE_PATH", "HUNTER2", "must be an ASCII path"),
        ("SESSION_COOKIE_HTTP_ONLY", "2", "must be `true` or `false`"),
        ("SESSION_COOKIE_SAME_SITE", "HUNTER2", "must be `Strict`, `Lax` or `None`"),
        ("SESSION_TRUSTED_ORIGINS", "HUNTER2", "must be a list of origins such as"),
        ("SESSION_TRUSTED_ORIGINS", "https://a.example,https://HUNTER2/", "without a path"),
        ("SESSION_TRUSTED_ORIGINS", "https://a.example;https://HUNTER2", "must be a list"),
        ("SESSION_TRUSTED_ORIGINS", "https://HUNTER2,", "must be a list of origins"),
        ("SESSION_TRUSTED_ORIGINS", "\"https://HUNTER2\"", "must not be in quotes"),
        ("SESSION_SECRET", "HUNTER2", "at least 32 bytes"),
        ("SESSION_TIMEOUT_MS", "HUNTER2", "must be a whole number of milliseconds"),
        ("SESSION_TIMEOUT_MS", "0", "must be 10 milliseconds to 1 hour"),
        ("SESSION_TIMEOUT_MS", "5", "must be 10 milliseconds to 1 hour"),
        ("SESSION_END_CHECK_INTERVAL", "HUNTER2", "must be a whole number of seconds"),
        ("SESSION_END_CHECK_INTERVAL", "1.5", "must be a whole number of seconds"),
        ("SESSION_END_CHECK_INTERVAL", "0", "must be 1 second to 1 hour"),
        ("SESSION_END_CHECK_INTERVAL", "3601", "must be 1 second to 1 hour"),
        ("SESSION_NEAR_CACHE", "HUNTER2", "must be a whole number of bytes"),
        ("SESSION_NEAR_CACHE", "64MB", "must be a whole number of bytes"),
        ("SESSION_NEAR_CACHE", "off", "must be a whole number of bytes"),
        ("SESSION_NEAR_CACHE", "1048575", "must be 1 MiB to 1 TiB, or 0 for no near cache"),
        ("SESSION_NEAR_CACHE", "18446744073709551615", "must be 1 MiB to 1 TiB"),
        ("SESSION_NEAR_CACHE_MAX_STALENESS_MS", "HUNTER2", "a whole number of milliseconds"),
        ("SESSION_NEAR_CACHE_MAX_STALENESS_MS", "0", "must be 10 milliseconds to 1 minute"),
        ("SESSION_NEAR_CACHE_MAX_STALENESS_MS", "31000", "no longer than `near_cache.max_age`"),
        ("SESSION_NEAR_CACHE_MAX_STALENESS_MS", "60001", "must be 10 milliseconds to 1 minute"),
        ("SESSION_REDIS", "\"redis://HUNTER2\"", "must not be in quotes"),
        ("SESSION_REDIS_PREFIX", "'HUNTER2'", "must not be in quotes"),
        ("SESSION_EXPIRE", "\"60\"", "must not be in quotes"),
        ("SESSION_SECRET", "\"base64:HUNTER2\"", "is in quotes"),
        ("SESSION_SECRET", "'hex:HUNTER2", "is in quotes"),
    ] {
        let base = [("SESSION_SECRET", TEXT), ("SESSION_NEAR_CACHE", "1048576")];
        let error = from_env(&[&base[..], &[(variable, value)]].concat())
            .and_then(|config| config.resolve())
            .unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(error.is_config() && shown.contains(variable) && shown.contains(takes), "{shown}");
        assert!(!shown.contains("HUNTER2"), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;

    for variable in VARIABLES {
        let lookup = |name: &str| (name == variable).then(|| OsString::from_vec(vec![0xff]));
        let error = SessionConfig::new().overridden_by(|_| None, lookup).unwrap_err();
        assert!(
            error.is_config()
                && error.to_string().ends_with(&format!("({variable}) must be UTF-8 text")),
            "{error}"
        );
    }
}

#[test]
fn every_key_is_read_from_files() {
    let read: SessionConfig = serde_json::from_value(serde_json::json!({
        "store": "memory:",
        "prefix": "shop",
        "lifetimes": [{ "class": "remembered", "max": 3600 }],
        "cookie_name": "sid",
        "cookie_secure": false,
        "cookie_http_only": false,
        "cookie_same_site": "strict",
        "cookie_path": "/app",
        "cookie_domain": "example.com",
        "cookie_partitioned": true,
        "trusted_origins": ["https://a.example", "https://b.example"],
        "secret": TEXT,
        "timeout_ms": 250,
        "end_check_interval": 10,
        "near_cache": { "max_bytes": 100_000, "max_staleness_ms": 250, "max_age": 20 },
        "max_value_size": 10,
        "max_batch_size": 20,
    }))
    .unwrap();
    let written = SessionConfig::new()
        .store("memory:")
        .prefix("shop")
        .lifetime(Lifetime::remembered().max(Duration::from_secs(3600)))
        .cookie_name("sid")
        .cookie_secure(false)
        .cookie_http_only(false)
        .cookie_same_site(SameSite::Strict)
        .cookie_path("/app")
        .cookie_domain("example.com")
        .cookie_partitioned(true)
        .trusted_origins(["https://a.example", "https://b.example"])
        .secret(TEXT)
        .timeout(Duration::from_millis(250))
        .end_check_interval(Duration::from_secs(10))
        .near_cache(
            NearCache::new()
                .max_bytes(100_000)
                .max_staleness(Duration::from_millis(250))
                .max_age(Duration::from_secs(20)),
        )
        .max_value_size(10)
        .max_batch_size(20);
    same(read, written);
    same(serde_json::from_str::<SessionConfig>("{}").unwrap(), SessionConfig::new());
}

#[test]
fn files_may_list_secrets() {
    let read: SessionConfig =
        serde_json::from_value(serde_json::json!({ "store": "memory:", "secret": [TEXT, SECRET] }))
            .unwrap();
    let secrets = read.resolve().unwrap().secrets;
    assert_eq!((secrets.len(), secrets[0].expose()), (2, TEXT.as_bytes()));
}

#[cfg(feature = "encryption")]
#[test]
fn files_have_encryption_keys_as_a_text_or_a_list() {
    let read = |keys: serde_json::Value| {
        let file = serde_json::json!({ "store": "memory:", "encryption_keys": keys });
        serde_json::from_value::<SessionConfig>(file).map_err(|error| error.to_string())
    };
    let both = secrets(&format!("{TEXT},{SECRET}")).unwrap();
    assert_eq!(encryption_keys(read(TEXT.into()).unwrap()), both[..1]);
    assert_eq!(encryption_keys(read([TEXT, SECRET].into()).unwrap()), both);
    assert_eq!(encryption_keys(read(format!("{TEXT},{SECRET}").into()).unwrap()), both);
    assert!(encryption_keys(read(().into()).unwrap()).is_empty());
    refused(read(serde_json::json!([])).unwrap(), &["`encryption_keys`", "is empty"]);
    let kept = read(TEXT.into()).unwrap().overridden_by(|_| None, |_| None).unwrap();
    assert_eq!(encryption_keys(kept), both[..1], "without a variable, the file counts");
    let over = read(TEXT.into()).unwrap();
    let variable = |name: &str| (name == "SESSION_ENCRYPTION_KEYS").then(|| SECRET.into());
    let over = over.overridden_by(|_| None, variable).unwrap();
    assert_eq!(encryption_keys(over), both[1..], "variables override files");
    for mistaken in [
        serde_json::json!(1_234_567_890_123_456_u64),
        serde_json::json!([TEXT, 1_234_567_890_123_456_u64]),
        serde_json::json!({ "key": "1234567890123456" }),
    ] {
        let error = read(mistaken).unwrap_err();
        assert_eq!(error, "`encryption_keys` must be a text or a list of texts");
    }
}

#[test]
fn files_with_mistakes_are_refused() {
    for (json, says) in [
        (r#"{ "stroe": "memory:" }"#, "unknown field `stroe`"),
        (r#"{ "timeout": 1 }"#, "unknown field `timeout`"),
        (r#"{ "timeout_ms": -1 }"#, "invalid value"),
        (r#"{ "end_check_interval": 0.5 }"#, "invalid type"),
        (r#"{ "near_cache": { "max_staleness": 1 } }"#, "unknown field `max_staleness`"),
        (r#"{ "near_cache": { "max_bytes": "64 MiB" } }"#, "invalid type"),
        (r#"{ "near_cache": 67108864 }"#, "invalid type"),
        (r#"{ "cookie_secure": "no" }"#, "invalid type"),
        (r#"{ "cookie_same_site": "sometimes" }"#, "must be `Strict`, `Lax` or `None`"),
        (r#"{ "transport": "header" }"#, "must be `Cookie`, `Bearer` or `CookieOrBearer`"),
        (r#"{ "transport": ["Cookie", "Bearer"] }"#, "invalid type"),
        (r#"{ "secret": 1234567890123456 }"#, "`secret` must be a text or a list of texts"),
        (r#"{ "secret": ["", 1234567890123456] }"#, "`secret` must be a text or a list of texts"),
        (r#"{ "secret": "1234567890123456"#, "EOF while parsing a string"),
    ] {
        let error = serde_json::from_str::<SessionConfig>(json).unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("1234567890123456"), "{error}");
    }
}

#[test]
fn a_refresh_threshold_is_a_share() {
    let smallest = f64::from_bits(1);
    for bad in [smallest, 0.0, 0.009, 0.991, 1.0, -0.5, 2.0, f64::NAN, f64::INFINITY] {
        refused(config().refresh_below(bad), &["`refresh_below` must be a share of 0.01 to 0.99"]);
    }
    for good in [0.01, 0.5, 0.99] {
        assert_eq!(config().refresh_below(good).resolve().unwrap().refresh_below, Some(good));
    }
}
