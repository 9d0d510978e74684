//! Read models keep each view as it is answered, a protobuf message, beside the columns it is found
//! by. What lists and pages have in common is here.

use onenet_eventstore::{Db, DbError, sqlx};
use onenet_kernel::Corrupt;
use onenet_proto::common::v1::{ErrorReason, Page, PageRequest};
use prost::Message;

use crate::Refusal;

/// Rows of a page where the caller does not say.
const DEFAULT_PAGE: u32 = 100;
/// Most rows of a page.
const LARGEST_PAGE: u32 = 1_000;

/// A view from its stored bytes.
pub fn decode<V: Message + Default>(bytes: &[u8]) -> Result<V, Corrupt> {
    V::decode(bytes).map_err(|error| Corrupt::new(std::any::type_name::<V>(), error))
}

/// The view of a key, by a query with one text parameter and one column.
pub async fn one<V: Message + Default>(
    db: &Db,
    query: &'static str,
    key: &str,
) -> Result<Option<V>, DbError> {
    let doing = || DbError::while_("reading a view");
    let query = sqlx::query_scalar(query).bind(key);
    let bytes: Option<Vec<u8>> =
        db.answered(query.fetch_optional(&mut *db.reader().await?)).await.map_err(doing())?;
    bytes
        .map(|bytes| decode(&bytes))
        .transpose()
        .map_err(|corrupt| doing()(sqlx::Error::Decode(Box::new(corrupt))))
}

/// Which rows of a list: those with keys above `after`, at most `limit`.
pub struct Paging {
    /// The last key of the page before; empty at the beginning.
    pub after: String,
    limit: usize,
}

impl Paging {
    /// Reads what the caller asks for; a token is the last key of the page before.
    pub fn read(request: Option<PageRequest>) -> Result<Self, Refusal> {
        let PageRequest { page_size, page_token } = request.unwrap_or_default();
        let size = if page_size == 0 { DEFAULT_PAGE } else { page_size.min(LARGEST_PAGE) };
        let is_key = page_token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_key || page_token.len() > 64 {
            return Err(Self::invalid_token());
        }
        Ok(Self { after: page_token, limit: usize::try_from(size).unwrap_or(usize::MAX) })
    }

    /// For the query: one row more than the page holds tells whether there is another.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// The views of the page, and how the list goes on, from rows of key and view.
    pub fn page<V: Message + Default>(
        &self,
        rows: Vec<(String, Vec<u8>)>,
    ) -> Result<(Vec<V>, Page), Refusal> {
        let (rows, page) = self.cut(rows);
        let views = rows.iter().map(|bytes| decode(bytes)).collect::<Result<_, _>>()?;
        Ok((views, page))
    }

    /// The rows of the page, and how the list goes on, from rows of key and row.
    #[must_use]
    pub fn cut<T>(&self, mut rows: Vec<(String, T)>) -> (Vec<T>, Page) {
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let last = rows.last().map(|(key, _)| key.clone()).filter(|_| has_more);
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        (rows, Page { next_page_token: last.unwrap_or_default() })
    }

    /// The refusal of a token that this list did not give out.
    #[must_use]
    pub fn invalid_token() -> Refusal {
        let message = "was not given out by this server";
        Refusal::field(ErrorReason::PageTokenInvalid, "page.page_token", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(page_size: u32, page_token: &str) -> Result<Paging, Refusal> {
        Paging::read(Some(PageRequest { page_size, page_token: page_token.to_owned() }))
    }

    #[test]
    fn a_full_page_with_more_behind_it_says_where_to_go_on() {
        let row = |key: &str| (key.to_owned(), Vec::new());
        let paging = paging(2, "").unwrap();
        assert_eq!(paging.fetch(), 3);
        let (views, page) = paging.page::<Page>(vec![row("a"), row("b"), row("c")]).unwrap();
        assert_eq!((views.len(), page.next_page_token.as_str()), (2, "b"));
        let (views, page) = paging.page::<Page>(vec![row("a"), row("b")]).unwrap();
        assert_eq!((views.len(), page.next_page_token.as_str()), (2, ""));
    }

    #[test]
    fn a_token_that_is_no_key_is_refused() {
        let refused = paging(0, "' or true").err().map(|refusal| refusal.reason());
        assert_eq!(refused, Some("ERROR_REASON_PAGE_TOKEN_INVALID"));
        assert_eq!(paging(0, "").unwrap().fetch(), 101);
        assert_eq!(paging(9_999, "").unwrap().fetch(), 1_001);
    }
}
