//! Every row of the table of JWTs that are accepted and refused (spec: local transports 5.2).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_800_000_000;
const DEFAULT: Scopes = Scopes::ALL;

fn signed_with(secret: &str, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = hs256::hmac_sha256(secret.as_bytes(), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn signed(header: &str, claims: &str) -> String {
    signed_with(SECRET, header, claims)
}

fn verifier(issuer: Option<&str>, audience: Option<&str>, skew_seconds: i64) -> JwtVerifier {
    let expected =
        ExpectedClaims { issuer: issuer.map(str::to_owned), audience: audience.map(str::to_owned), skew_seconds };
    JwtVerifier::new(&SECRET.into(), Path::new("secret"), expected, DEFAULT).unwrap()
}

/// What a verifier that wants no issuer and no audience says to these claims.
fn judge(claims: &str) -> Result<Pass, Denial> {
    verifier(None, None, 30).judge(&signed(r#"{"alg":"HS256"}"#, claims), NOW)
}

fn judge_header(header: &str) -> Result<Pass, Denial> {
    verifier(None, None, 30).judge(&signed(header, &format!(r#"{{"exp":{NOW}}}"#)), NOW)
}

#[test]
fn a_secret_has_at_least_32_bytes() {
    let expected = || ExpectedClaims { issuer: None, audience: None, skew_seconds: 0 };
    let error = JwtVerifier::new(&SECRET[1..].into(), Path::new("/run/secret"), expected(), DEFAULT).err().unwrap();
    assert_eq!(error.to_string(), "signed websocket bearer secret /run/secret must be at least 32 bytes");
    assert!(JwtVerifier::new(&SECRET.into(), Path::new("/run/secret"), expected(), DEFAULT).is_ok());
}

#[test]
fn headers_that_are_accepted() {
    for header in [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"something else"}"#,
        r#"{"alg":"HS256","kid":"7"}"#,
        r#"{"alg":"HS256","own":{"a":[1]}}"#,
    ] {
        assert!(judge_header(header).is_ok(), "{header}");
    }
}

#[test]
fn headers_that_are_refused() {
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":null}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":"exp"}"#,
        r#"["HS256"]"#,
        "not json",
        "",
    ] {
        assert_eq!(judge_header(header), Err(Denial::BadJwt), "{header}");
    }
}

#[test]
fn claims_that_are_accepted() {
    for claims in [
        format!(r#"{{"exp":{}}}"#, i64::MAX),
        format!(r#"{{"exp":{NOW},"nbf":null,"iss":null,"aud":null}}"#),
        format!(r#"{{"exp":{NOW},"nbf":{NOW}}}"#),
        format!(r#"{{"exp":{NOW},"iss":"anybody","aud":"anything"}}"#),
        format!(r#"{{"exp":{NOW},"aud":["a","b"]}}"#),
        format!(r#"{{"exp":{NOW},"aud":[]}}"#),
        format!(r#"{{"exp":{NOW}.5,"nbf":1.5,"iat":1.5}}"#),
        format!(r#"{{"exp":{NOW}.0,"iat":1.8e9}}"#),
        r#"{"exp":1.8e9}"#.to_owned(),
        format!(r#"{{"exp":{NOW},"sub":"me","scope":["x"],"n":{{"deep":1}}}}"#),
    ] {
        assert!(judge(&claims).is_ok(), "{claims}");
    }
}

#[test]
fn claims_of_a_wrong_form_are_refused() {
    for claims in [
        "{}".to_owned(),
        r#"{"exp":null}"#.to_owned(),
        format!(r#"{{"exp":"{NOW}"}}"#),
        r#"{"exp":1e300}"#.to_owned(),
        r#"{"exp":9223372036854775808}"#.to_owned(),
        format!(r#"{{"exp":{NOW},"exp":{NOW}}}"#),
        format!(r#"{{"exp":{NOW},"nbf":"{NOW}"}}"#),
        format!(r#"{{"exp":{NOW},"nbf":[1.5]}}"#),
        format!(r#"{{"exp":{NOW},"iss":5}}"#),
        format!(r#"{{"exp":{NOW},"iss":["a"]}}"#),
        format!(r#"{{"exp":{NOW},"aud":5}}"#),
        format!(r#"{{"exp":{NOW},"scope":5}}"#),
        format!(r#"{{"exp":{NOW},"scope":["observe",5]}}"#),
        format!(r#"{{"exp":{NOW},"aud":["a",5]}}"#),
        format!(r#"{{"exp":{NOW},"aud":{{"a":1}}}}"#),
        format!("[{NOW},null,null,null]"),
        format!("{NOW}"),
        format!(r#"{{"exp":{NOW},"x":{}{}}}"#, "[".repeat(1000), "]".repeat(1000)),
        "not json".to_owned(),
        String::new(),
    ] {
        assert_eq!(judge(&claims), Err(Denial::BadJwt), "{claims}");
    }
}

#[test]
fn what_is_not_three_signed_parts_is_refused() {
    let good = signed(r#"{"alg":"HS256"}"#, &format!(r#"{{"exp":{NOW}}}"#));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let verifier = verifier(None, None, 30);
    assert!(verifier.judge(&good, NOW).is_ok());
    for bad in [
        String::new(),
        "abc".to_owned(),
        message.to_owned(),
        format!("{message}."),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{header}.{claims}=.{signature}"),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}.{}", &signature[1..]),
        format!("{header}.{claims}.A{}", &signature[1..]),
        format!("{claims}.{header}.{signature}"),
        signed_with("another secret of thirty-two byte", r#"{"alg":"HS256"}"#, &format!(r#"{{"exp":{NOW}}}"#)),
    ] {
        assert_eq!(verifier.judge(&bad, NOW), Err(Denial::BadJwt), "{bad}");
    }
}

#[test]
fn times_are_exact_to_the_second_and_forgive_the_skew() {
    let at = |claims: &str, skew: i64, now: i64| {
        verifier(None, None, skew).judge(&signed(r#"{"alg":"HS256"}"#, claims), now).err()
    };
    let exp = format!(r#"{{"exp":{NOW}}}"#);
    assert_eq!(at(&exp, 0, NOW), None);
    assert_eq!(at(&exp, 0, NOW + 1), Some(Denial::Expired));
    assert_eq!(at(&exp, 30, NOW + 30), None);
    assert_eq!(at(&exp, 30, NOW + 31), Some(Denial::Expired));
    assert_eq!(at(&exp, i64::MAX, i64::MAX), None);

    let nbf = format!(r#"{{"exp":{},"nbf":{NOW}}}"#, i64::MAX);
    assert_eq!(at(&nbf, 0, NOW), None);
    assert_eq!(at(&nbf, 0, NOW - 1), Some(Denial::NotYetValid));
    assert_eq!(at(&nbf, 30, NOW - 30), None);
    assert_eq!(at(&nbf, 30, NOW - 31), Some(Denial::NotYetValid));
    assert_eq!(at(&format!(r#"{{"exp":{NOW},"nbf":{}}}"#, i64::MIN), i64::MAX, NOW), None);

    let fractions = format!(r#"{{"exp":{}.25,"nbf":{NOW}.75}}"#, NOW + 9);
    assert_eq!(at(&fractions, 0, NOW), Some(Denial::NotYetValid));
    assert_eq!(at(&fractions, 0, NOW + 1), None);
    assert_eq!(at(&fractions, 0, NOW + 9), None);
    assert_eq!(at(&fractions, 0, NOW + 10), Some(Denial::Expired));
}

#[test]
fn issuer_and_audience_must_be_there_and_equal() {
    let verifier = verifier(Some("us"), Some("app"), 0);
    let judge = |claims: &str| {
        let claims = format!(r#"{{"exp":{NOW}{claims}}}"#);
        verifier.judge(&signed(r#"{"alg":"HS256"}"#, &claims), NOW).err()
    };
    for claims in ["", r#","iss":null,"aud":"app""#, r#","iss":"US","aud":"app""#, r#","iss":"","aud":"app""#] {
        assert_eq!(judge(claims), Some(Denial::OtherIssuer), "{claims}");
    }
    for audience in ["", r#","aud":null"#, r#","aud":"other""#, r#","aud":[]"#, r#","aud":["a","b"]"#] {
        assert_eq!(judge(&format!(r#","iss":"us"{audience}"#)), Some(Denial::OtherAudience), "{audience}");
    }
    for audience in [r#","aud":"app""#, r#","aud":["a","app"]"#] {
        assert_eq!(judge(&format!(r#","iss":"us"{audience}"#)), None, "{audience}");
    }
}

#[test]
fn the_first_fault_in_the_order_of_the_checks_is_told() {
    let verifier = verifier(Some("us"), Some("app"), 0);
    let judge =
        |secret: &str, claims: &str| verifier.judge(&signed_with(secret, r#"{"alg":"HS256"}"#, claims), NOW).err();
    let (early, late) = (NOW - 1, NOW + 1);
    let all_wrong = format!(r#"{{"exp":{early},"nbf":{late},"iss":"x","aud":"x"}}"#);
    assert_eq!(judge("a secret that nobody has told us", &all_wrong), Some(Denial::BadJwt));
    assert_eq!(judge(SECRET, &all_wrong), Some(Denial::Expired));
    let claims = |rest: &str| format!(r#"{{"exp":{late},{rest}}}"#);
    let not_yet = claims(&format!(r#""nbf":{late},"iss":"x","aud":"x""#));
    assert_eq!(judge(SECRET, &not_yet), Some(Denial::NotYetValid));
    assert_eq!(judge(SECRET, &claims(r#""iss":"x","aud":"x""#)), Some(Denial::OtherIssuer));
    assert_eq!(judge(SECRET, &claims(r#""iss":"us","aud":"x""#)), Some(Denial::OtherAudience));
}

#[test]
fn a_pass_says_until_when_it_is_valid() {
    let token = signed(r#"{"alg":"HS256"}"#, &format!(r#"{{"exp":{NOW}}}"#));
    assert_eq!(verifier(None, None, 7).judge(&token, NOW), Ok(Pass { scopes: DEFAULT, valid_until: Some(NOW + 7) }));
}

#[test]
fn the_claim_scope_says_what_a_client_may_do() {
    let scopes = |claim: &str| judge(&format!(r#"{{"exp":{NOW}{claim}}}"#)).unwrap().scopes.to_string();
    assert_eq!(scopes(""), DEFAULT.to_string());
    assert_eq!(scopes(r#","scope":null"#), DEFAULT.to_string());
    assert_eq!(scopes(r#","scope":"openid converse observe""#), "observe, converse");
    assert_eq!(scopes(r#","scope":["files"]"#), "files");
    for nothing in ["", "openid", "Observe", "observe,files"] {
        assert_eq!(scopes(&format!(r#","scope":"{nothing}""#)), "none", "{nothing}");
    }
}
