//! Paged lists.

use crate::protocol::RpcError;
use crate::protocol::catalog::{Page, PageParams};

/// The page of `items` selected by `params`; without a limit, all remaining entries. The cursor is the number of
/// entries before the page. `what` names the entries in error texts.
///
/// # Errors
/// -32600 for an invalid cursor.
pub fn page<T>(items: Vec<T>, params: &PageParams, what: &str) -> Result<Page<T>, RpcError> {
    let total = items.len();
    let start = match &params.cursor {
        None => 0,
        Some(cursor) => {
            cursor.parse().map_err(|_| RpcError::invalid_request(format_args!("invalid cursor: {cursor}")))?
        }
    };
    if start > total {
        return Err(RpcError::invalid_request(format_args!("cursor {start} exceeds total {what} {total}")));
    }
    let limit = params.limit.map_or(total, |limit| limit.max(1) as usize);
    let end = start.saturating_add(limit).min(total);
    let data = items.into_iter().skip(start).take(end - start).collect();
    Ok(Page { data, next_cursor: (end < total).then(|| end.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cursor: Option<&str>, limit: Option<u32>) -> Result<(Vec<i32>, Option<String>), String> {
        let params = PageParams { cursor: cursor.map(str::to_owned), limit };
        let page = page(vec![1, 2, 3], &params, "numbers").map_err(|error| error.message)?;
        Ok((page.data, page.next_cursor))
    }

    #[test]
    fn pages_join_without_a_gap() {
        assert_eq!(read(None, None), Ok((vec![1, 2, 3], None)));
        assert_eq!(read(None, Some(2)), Ok((vec![1, 2], Some("2".to_owned()))));
        assert_eq!(read(Some("2"), Some(2)), Ok((vec![3], None)));
        assert_eq!(read(Some("3"), Some(u32::MAX)), Ok((vec![], None)));
        assert_eq!(read(None, Some(0)), Ok((vec![1], Some("1".to_owned()))));
    }

    #[test]
    fn foreign_cursors_are_refused() {
        assert_eq!(read(Some("garbage"), None).unwrap_err(), "invalid cursor: garbage");
        assert_eq!(read(Some("9999"), None).unwrap_err(), "cursor 9999 exceeds total numbers 3");
    }
}
