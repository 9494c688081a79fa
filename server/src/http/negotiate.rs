//! Which representation a client accepts, and whether it has the current one
//! already (RFC 9110, sections 12.5 and 13.1).

use axum::http::{HeaderMap, HeaderName, header};

/// The elements of a list header, which may occur several times: each with its
/// weight from 0 to 1000.
fn weighted<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = (&'h str, u32)> {
    let values = headers.get_all(name).into_iter();
    let elements = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    elements.map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| {
            let value = part
                .strip_prefix("q=")
                .or_else(|| part.strip_prefix("Q="))?;
            value.trim().parse::<f32>().ok()
        });
        let weight = weight.unwrap_or(1.0).clamp(0.0, 1.0);
        (name, (weight * 1e3) as u32)
    })
}

/// The tags of a list, without quotes and weakness; `None` if the list is
/// malformed (RFC 9110, section 8.8.3).
pub(crate) fn tags(list: &str) -> Option<Vec<&str>> {
    let is_part = |byte: u8| byte == b'!' || (b'#'..=b'~').contains(&byte);
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(tags);
        }
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, after) = quoted.split_once('"')?;
        let after = after.trim_start_matches([' ', '\t']);
        if !tag.bytes().all(is_part) || !(after.is_empty() || after.starts_with(',')) {
            return None;
        }
        tags.push(tag);
        rest = after;
    }
}

/// Whether the client already has the representation with this quoted tag. Uses
/// the weak comparison, which is enough for reads.
pub(crate) fn has(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).into_iter();
    let mut values = values.filter_map(|value| value.to_str().ok());
    let tag = tag.trim_matches('"');
    values.any(|value| value.trim() == "*" || tags(value).is_some_and(|all| all.contains(&tag)))
}

/// Whether the client prefers the classic text format to OpenMetrics.
pub(crate) fn wants_classic_metrics(headers: &HeaderMap) -> bool {
    let weight = |name: &str| {
        let all = weighted(headers, &header::ACCEPT);
        let own = all.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        own.map(|(_, weight)| weight).max().unwrap_or(0)
    };
    weight("text/plain") > weight("application/openmetrics-text")
}

/// The media type that the client prefers; of those with the same weight, or if
/// it accepts none, the first one.
pub(crate) fn media_type<'t>(headers: &HeaderMap, offered: &[&'t str]) -> Option<&'t str> {
    let all: Vec<_> = weighted(headers, &header::ACCEPT).collect();
    let weight = |name: &str| {
        let of = |pattern: &str| {
            let mut found = all.iter();
            let found = found.find(|(known, _)| known.eq_ignore_ascii_case(pattern));
            found.map(|(_, weight)| *weight)
        };
        let group = name.split_once('/').map(|(group, _)| format!("{group}/*"));
        let by_group = || group.as_deref().and_then(of);
        of(name)
            .or_else(by_group)
            .or_else(|| of("*/*"))
            .unwrap_or(0)
    };
    offered
        .iter()
        .copied()
        .rev()
        .max_by_key(|name| weight(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn tags() {
        for (known, expect) in [
            (&["\"a\""][..], true),
            (&["W/\"a\""], true),
            (&["\"b\", \"a\""], true),
            (&["\"b\"", "W/\"a\""], true),
            (&["\"b,c\" ,\"a\""], true),
            (&["\"b,a\""], false),
            (&["\"a\" \"b\""], false),
            (&["\"a"], false),
            (&["*"], true),
            (&["\"b\""], false),
            (&["a"], false),
            (&[""], false),
            (&[], false),
        ] {
            let headers = headers(header::IF_NONE_MATCH, known);
            assert_eq!(has(&headers, "\"a\""), expect, "{known:?}");
        }
    }

    #[test]
    fn media_types() {
        let offered = ["application/json", "application/vnd.tickwire.v1"];
        for (accepted, expect) in [
            (&[][..], 0),
            (&["*/*"], 0),
            (&["application/*"], 0),
            (&["text/html"], 0),
            (&["application/json"], 0),
            (&["application/vnd.tickwire.v1"], 1),
            (&["Application/VND.tickwire.v1"], 1),
            (&["application/vnd.tickwire.v1, application/json;q=0.5"], 1),
            (
                &["application/json;q=0.5", "application/vnd.tickwire.v1"],
                1,
            ),
            (&["application/vnd.tickwire.v1;q=0.1, */*"], 0),
            (&["application/json;q=0, */*"], 1),
            (&["application/vnd.tickwire.v1, application/json"], 0),
        ] {
            let headers = headers(header::ACCEPT, accepted);
            assert_eq!(
                media_type(&headers, &offered),
                Some(offered[expect]),
                "{accepted:?}"
            );
        }
    }

    #[test]
    fn formats_of_metrics() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accepted, expect) in [
            ("text/plain", true),
            ("text/plain; version=0.0.4", true),
            (prometheus, false),
            ("*/*", false),
            ("application/openmetrics-text", false),
        ] {
            let headers = headers(header::ACCEPT, &[accepted]);
            assert_eq!(wants_classic_metrics(&headers), expect, "{accepted:?}");
        }
    }
}
