//! `relay token`: who may bring machines.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use actix::Addr;
use app_server_actors::{
    clock::Clock,
    protocol::Secret,
    relay::{
        secrets,
        store::{AccountRow, AddToken, ListAccounts, RemoveAccount},
    },
    store::{Store, ask},
    times,
};

use crate::{cli::TokenAction, output::print, terminal::shown_in_one_line};

/// Longest name of an account, in bytes.
const NAME_BYTES: usize = 64;

/// Runs an action on tokens.
///
/// # Errors
/// The name is not one, there is no such account, or the database or stdout fails.
pub async fn run(action: &TokenAction, store: &Addr<Store>) -> Result<(), Box<dyn Error>> {
    match action {
        TokenAction::Add { name } => add(name, store).await,
        TokenAction::List => Ok(print(table(&ask(store, ListAccounts).await?).as_bytes())?),
        TokenAction::Remove { name } => {
            if !ask(store, RemoveAccount { name: name.clone() }).await? {
                return Err(format!("there is no account {name:?}; `relay token list` lists all").into());
            }
            Ok(print(format!("The account {name} is removed, with its machines and pairings.\n").as_bytes())?)
        }
    }
}

async fn add(name: &str, store: &Addr<Store>) -> Result<(), Box<dyn Error>> {
    let token = new_token(name, store).await?;
    Ok(print(format!("{}\n", token.expose()).as_bytes())?)
}

/// Makes a token of the account `name`.
///
/// # Errors
/// It is not a name, or the database fails.
pub async fn new_token(name: &str, store: &Addr<Store>) -> Result<Secret, Box<dyn Error>> {
    let fits = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.' | '@');
    if name.is_empty() || name.len() > NAME_BYTES || !name.chars().all(fits) {
        return Err("a name has 1 to 64 letters, digits, and - _ . @".into());
    }
    let made: Arc<Mutex<Option<Secret>>> = Arc::default();
    let keep = made.clone();
    let digest = Box::new(move |account: &str| {
        let token = secrets::account_token(account);
        let digest = secrets::digest(token.expose());
        *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        digest
    });
    let at = Clock::system().unix_ms() / 1000;
    ask(store, AddToken { name: name.to_owned(), new_id: secrets::id("acc"), digest, at }).await?;
    let token = made.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(token.ok_or("no token was made")?)
}

fn table(accounts: &[AccountRow]) -> String {
    if accounts.is_empty() {
        return "There is no account. Make one with: codex-app-server relay token add NAME\n".to_owned();
    }
    let width = accounts.iter().map(|it| it.name.chars().count()).max().unwrap_or(0).max(4);
    let head = format!("{:<width$}  TOKENS  MACHINES  SINCE\n", "NAME");
    accounts.iter().fold(head, |text, it| {
        let (name, since) = (shown_in_one_line(&it.name), times::show(it.created_at.saturating_mul(1000)));
        text + &format!("{name:<width$}  {:<6}  {:<8}  {since}\n", it.tokens, it.servers)
    })
}
