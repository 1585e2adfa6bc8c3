//! Requests that change nothing: `thread/read`, the lists, and requests for data that this server does not keep.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::iter;

use super::refusals::{thread_id, thread_not_found, thread_not_loaded};
use super::view::{self, Presence};
use super::{Threads, Work, decided, finish, work};
use crate::encode::is_large;
use crate::protocol::thread::{
    CwdFilter, Empty, ItemsCursor, Page, SortDirection, Thread, ThreadAttachmentListParams,
    ThreadAttachmentListResponse, ThreadId, ThreadItemsListParams, ThreadListParams, ThreadListResponse,
    ThreadLoadedListParams, ThreadLoadedListResponse, ThreadReadParams, ThreadReadResponse, ThreadReadState,
    ThreadReadStateUpdateParams, ThreadReadStateUpdateResponse, ThreadSearchParams, ThreadSearchResult,
    ThreadSearchSortKey, ThreadSortKey, ThreadTurnsListParams, TurnsPage,
};
use crate::protocol::turn::{Turn, TurnItemsView};
use crate::protocol::{ErrorCode, RpcError};
use crate::store::messages::{
    ListItems, ListThreads, ListTurns, ListedItems, LoadThread, ReadTurns, SearchThreads, ThreadFilter,
};
use crate::store::{Cursor, InvalidCursor, PageRequest, ThreadRecord};

/// Bytes of what is searched for in `thread/search/stream` (the reference program's number).
const LONGEST_TERM: usize = 65_536;

impl Threads {
    pub(super) fn read(&self, params: &ThreadReadParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        if params.include_turns {
            self.refuse_ephemeral_history(id, "includeTurns")?;
        }
        let read = self.look_up(id, params.include_turns.then_some(ReadTurns { thread_id: id }));
        work(async move {
            let (record, turns) = read.await?;
            let (record, turns) = (record.ok_or_else(|| thread_not_loaded(id))?, turns.unwrap_or_default());
            finish(move |threads, reply| {
                let (presence, large) = (threads.presence(id), is_large(turn_sizes(&turns)));
                let read = move || {
                    let thread = view::thread(&record, presence, turns);
                    ThreadReadResponse { thread, read_state: None }
                };
                threads.respond(reply, large, read, |_, answer| answer)
            })
        })
    }

    pub(super) fn list(&self, params: ThreadListParams) -> Result<Work, RpcError> {
        let included = params.included_thread_ids.map(|ids| listed_ids("included", &ids)).transpose()?;
        let excluded = listed_ids("excluded", &params.excluded_thread_ids.unwrap_or_default())?;
        // Threads of this server have no section, project, parent, ancestor or attachment.
        let asks_for_none = params.section_id.is_some_and(|id| id.is_some())
            || params.project_id.is_some_and(|id| id.is_some())
            || params.parent_thread_id.is_some()
            || params.ancestor_thread_id.is_some()
            || params.attached_to_thread_id.is_some();
        if asks_for_none {
            return decided(finish(|_, reply| reply.ok(&empty_list())));
        }
        let filter = ThreadFilter {
            archived: params.archived.unwrap_or_default(),
            cwds: params.cwd.map(CwdFilter::into_vec).unwrap_or_default(),
            source_kinds: params.source_kinds.unwrap_or_default(),
            model_providers: params.model_providers.unwrap_or_default(),
            originators: params.originators.unwrap_or_default(),
            included,
            excluded,
        };
        let page = self.ask(ListThreads {
            filter,
            search_term: params.search_term,
            sort_key: params.sort_key.unwrap_or(ThreadSortKey::CreatedAt),
            page: page(params.cursor.as_deref(), Cursor::of_threads, params.limit, params.sort_direction)?,
        });
        work(async move {
            let Page { data, next_cursor, backwards_cursor } = page.await?;
            finish(move |threads, reply| {
                let large = is_large(data.iter().map(record_size));
                let data = threads.with_presence(data);
                let list = move || {
                    let data = data.into_iter().map(|(record, presence)| listed(&record, presence)).collect();
                    ThreadListResponse { data, next_cursor, backwards_cursor, ..empty_list() }
                };
                threads.respond(reply, large, list, |_, answer| answer)
            })
        })
    }

    /// `thread/search/stream`. A search takes a moment, so all of it is in the answer, and none of it comes before.
    pub(super) fn search_stream(&self, params: ThreadSearchParams) -> Result<Work, RpcError> {
        if params.search_term.trim().len() > LONGEST_TERM {
            let text = format!("thread/search/stream searchTerm exceeds {LONGEST_TERM} UTF-8 bytes");
            return Err(RpcError::new(ErrorCode::InvalidParams, text));
        }
        self.search("thread/search/stream", params)
    }

    /// `thread/search/cancel` and `thread/search/stream/cancel`: a client's requests are answered in their order, so the search
    /// has been when this is.
    pub(super) fn cancel_search(&self) -> Result<Work, RpcError> {
        decided(finish(|_, reply| reply.ok(&Empty {})))
    }

    pub(super) fn search(&self, method: &str, params: ThreadSearchParams) -> Result<Work, RpcError> {
        if params.search_term.trim().is_empty() {
            return Err(RpcError::invalid_request(format_args!("{method} requires a non-empty searchTerm")));
        }
        let filter = ThreadFilter {
            archived: params.archived.unwrap_or_default(),
            source_kinds: params.source_kinds.unwrap_or_default(),
            ..ThreadFilter::default()
        };
        let sort_key = match params.sort_key {
            None | Some(ThreadSearchSortKey::CreatedAt) => ThreadSortKey::CreatedAt,
            Some(ThreadSearchSortKey::UpdatedAt) => ThreadSortKey::UpdatedAt,
            Some(ThreadSearchSortKey::RecencyAt) => ThreadSortKey::RecencyAt,
        };
        let page = page(params.cursor.as_deref(), Cursor::of_threads, params.limit, params.sort_direction)?;
        let found = self.ask(SearchThreads { filter, search_term: params.search_term, sort_key, page });
        work(async move {
            let Page { data, next_cursor, backwards_cursor } = found.await?;
            finish(move |threads, reply| {
                let large = is_large(data.iter().map(|found| record_size(&found.thread) + found.snippet.len()));
                let (found, snippets): (_, Vec<_>) = data.into_iter().map(|it| (it.thread, it.snippet)).unzip();
                let found = threads.with_presence(found);
                let page = move || {
                    let data = found.into_iter().zip(snippets).map(|((record, presence), snippet)| {
                        ThreadSearchResult { thread: listed(&record, presence), snippet }
                    });
                    Page { data: data.collect(), next_cursor, backwards_cursor }
                };
                threads.respond(reply, large, page, |_, answer| answer)
            })
        })
    }

    /// Ids are ordered by creation, so the last id of a page is the cursor of the next one.
    pub(super) fn loaded_list(&self, params: &ThreadLoadedListParams) -> Result<ThreadLoadedListResponse, RpcError> {
        let invalid = |cursor: &str| RpcError::invalid_request(format_args!("invalid cursor: {cursor}"));
        let after = match &params.cursor {
            Some(cursor) => Some(ThreadId::parse(cursor).map_err(|_| invalid(cursor))?),
            None => None,
        };
        let limit = params.limit.map_or(usize::MAX, |limit| limit.max(1) as usize);
        let mut ids = self.loaded.keys().copied().filter(|id| after.is_none_or(|after| *id > after));
        let data: Vec<ThreadId> = ids.by_ref().take(limit).collect();
        let next_cursor = ids.next().and(data.last().copied());
        Ok(ThreadLoadedListResponse { data, next_cursor })
    }

    pub(super) fn turns_list(&self, params: &ThreadTurnsListParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        self.refuse_ephemeral_history(id, "thread/turns/list")?;
        let cursor = |text: &str| Cursor::of_turns(id, text);
        let direction = params.sort_direction.or(Some(SortDirection::Desc));
        let page = page(params.cursor.as_deref(), cursor, params.limit, direction)?;
        let items_view = params.items_view.unwrap_or_default();
        let turns = self.ask(ListTurns { thread_id: id, page, items_view });
        work(async move {
            let page = turns.await?.ok_or_else(|| thread_not_loaded(id))?;
            let large = is_large(turn_sizes(&page.data));
            finish(move |threads, reply| threads.respond(reply, large, move || page, |_, answer| answer))
        })
    }

    pub(super) fn items_list(&self, params: ThreadItemsListParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        self.refuse_ephemeral_history(id, "thread/items/list")?;
        let (cursor, anchor) = match params.cursor {
            Some(ItemsCursor::Opaque(text)) => (Some(text), None),
            Some(ItemsCursor::Anchor(anchor)) => (None, Some(anchor)),
            None => (None, None),
        };
        let of_items = |text: &str| Cursor::of_items(id, text);
        let direction = params.sort_direction.or(Some(SortDirection::Asc));
        let page = page(cursor.as_deref(), of_items, params.limit, direction)?;
        let items = self.ask(ListItems { thread_id: id, turn_id: params.turn_id, anchor, page });
        work(async move {
            let page = match items.await? {
                ListedItems::Page(page) => page,
                ListedItems::UnknownThread => return Err(thread_not_loaded(id)),
                ListedItems::UnknownAnchor => return Err(RpcError::invalid_request("the turn has no such item")),
            };
            let large = is_large(page.data.iter().map(|entry| entry.item.json().len()));
            finish(move |threads, reply| threads.respond(reply, large, move || page, |_, answer| answer))
        })
    }

    /// This server attaches nothing to threads, so every page is empty, as the reference program's is for a thread that
    /// it does not know.
    pub(super) fn attachments(&self, params: &ThreadAttachmentListParams) -> Result<Work, RpcError> {
        ThreadId::parse(&params.thread_id).map_err(|e| unfit(format_args!("invalid thread id: {e}")))?;
        if params.cursor.is_some() {
            return Err(unfit("invalid pagination cursor"));
        }
        decided(finish(|_, reply| reply.ok(&ThreadAttachmentListResponse::default())))
    }

    /// Read state is not stored; the client receives its own revision back.
    pub(super) fn update_read_state(&self, params: ThreadReadStateUpdateParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let record = self.known(id);
        work(async move {
            record.await?.ok_or_else(|| thread_not_found(id))?;
            let read_state = ThreadReadState { first_unread: None, revision: params.expected_revision };
            finish(|_, reply| reply.ok(&ThreadReadStateUpdateResponse { read_state }))
        })
    }

    /// The current record of a thread, loaded or not.
    pub(super) fn known(&self, id: ThreadId) -> impl Future<Output = Result<Option<ThreadRecord>, RpcError>> + use<> {
        let found = self.look_up(id, None);
        async move { found.await.map(|(record, _)| record) }
    }

    /// The current record of a thread, and the turns that are asked for; an ephemeral thread has none on disk.
    fn look_up(
        &self,
        id: ThreadId,
        turns: Option<ReadTurns>,
    ) -> impl Future<Output = Result<(Option<ThreadRecord>, Option<Vec<Turn>>), RpcError>> + use<> {
        let ephemeral = if self.is_ephemeral(id) { self.describe(id) } else { None };
        let stored = ephemeral.is_none().then(|| self.ask((LoadThread { id }, turns)));
        async move {
            match (ephemeral, stored) {
                (Some(description), _) => Ok((Some(description.await?.as_ref().clone()), None)),
                (None, Some(stored)) => stored.await,
                (None, None) => Ok((None, None)),
            }
        }
    }

    pub(super) fn refuse_ephemeral_history(&self, id: ThreadId, what: &str) -> Result<(), RpcError> {
        if self.is_ephemeral(id) {
            return Err(RpcError::invalid_request(format_args!("ephemeral threads do not support {what}")));
        }
        Ok(())
    }

    pub(super) fn presence(&self, id: ThreadId) -> Presence {
        match self.loaded.get(&id) {
            None => Presence::Stored,
            Some(loaded) if loaded.ephemeral => Presence::Ephemeral(loaded.activity.get()),
            Some(loaded) => Presence::Loaded(loaded.activity.get()),
        }
    }

    fn with_presence(&self, records: Vec<ThreadRecord>) -> Vec<(ThreadRecord, Presence)> {
        let with_presence = |record: ThreadRecord| {
            let presence = self.presence(record.id);
            (record, presence)
        };
        records.into_iter().map(with_presence).collect()
    }
}

/// The latest turn and the latest item of a thread, for [`backwards_cursors`].
pub(super) fn latest_cursors(id: ThreadId) -> (ListTurns, ListItems) {
    let latest = || PageRequest { cursor: None, limit: Some(1), direction: SortDirection::Desc };
    let turn = ListTurns { thread_id: id, page: latest(), items_view: TurnItemsView::NotLoaded };
    (turn, ListItems { thread_id: id, turn_id: None, anchor: None, page: latest() })
}

/// The cursors from which turns and items are read backwards from the end.
pub(super) fn backwards_cursors((turn, item): (Option<TurnsPage>, ListedItems)) -> (Option<String>, Option<String>) {
    let of_items = match item {
        ListedItems::Page(page) => page.backwards_cursor,
        ListedItems::UnknownThread | ListedItems::UnknownAnchor => None,
    };
    (turn.and_then(|page| page.backwards_cursor), of_items)
}

/// A thread in a list, where it is left open whether it takes turns.
fn listed(record: &ThreadRecord, presence: Presence) -> Thread {
    Thread { can_accept_direct_input: None, ..view::thread(record, presence, Vec::new()) }
}

/// Approximate size of a thread without its turns, in bytes of JSON.
fn record_size(record: &ThreadRecord) -> usize {
    const REST: usize = 1024;
    REST + record.preview.len() + record.name.as_ref().map_or(0, String::len)
}

/// Approximate sizes of turns, in bytes of JSON, in parts.
pub(super) fn turn_sizes<'a>(turns: impl IntoIterator<Item = &'a Turn>) -> impl Iterator<Item = usize> {
    const WITHOUT_ITEMS: usize = 256;
    let sizes = |turn: &'a Turn| iter::once(WITHOUT_ITEMS).chain(turn.items.iter().map(|item| item.json().len()));
    turns.into_iter().flat_map(sizes)
}

/// Longest list of ids by which a client may filter.
const LISTED_IDS: usize = 100;

/// The ids of `includedThreadIds` or `excludedThreadIds`; `kind` is the first word of the member.
fn listed_ids(kind: &str, ids: &[String]) -> Result<Vec<ThreadId>, RpcError> {
    if ids.len() > LISTED_IDS {
        return Err(unfit(format_args!("{kind}ThreadIds accepts at most {LISTED_IDS} entries")));
    }
    let parse = |id: &String| ThreadId::parse(id).map_err(|e| unfit(format_args!("invalid {kind} thread id: {e}")));
    ids.iter().map(parse).collect()
}

/// -32602 in the reference program's words, which here do not begin with "Invalid request".
fn unfit(text: impl Display) -> RpcError {
    RpcError::new(ErrorCode::InvalidParams, text)
}

fn empty_list() -> ThreadListResponse {
    ThreadListResponse {
        data: Vec::new(),
        read_states: Some(BTreeMap::new()),
        next_cursor: None,
        backwards_cursor: None,
    }
}

fn page(
    cursor: Option<&str>,
    parse: impl FnOnce(&str) -> Result<Cursor, InvalidCursor>,
    limit: Option<u32>,
    direction: Option<SortDirection>,
) -> Result<PageRequest, RpcError> {
    let cursor = cursor.map(parse).transpose().map_err(RpcError::invalid_request)?;
    Ok(PageRequest { cursor, limit, direction: direction.unwrap_or(SortDirection::Desc) })
}
