//! `chat`: a conversation with the agent in a terminal or a script.

mod actions;
mod desk;
mod exact;
mod keyboard;
mod own;
mod paper;
mod patch_text;
mod question;
mod show;
mod talk;
mod tool;

use std::{error::Error, io::IsTerminal as _, path::Path};

use app_server_actors::protocol::{
    calls::{THREAD_RESUME, THREAD_START},
    raw::RawParams,
    thread::{LoadedThread, ThreadChoices, ThreadStartParams},
};
use tokio::io::AsyncReadExt as _;

use self::{
    desk::Desk,
    keyboard::Keyboard,
    own::OwnServer,
    paper::Paper,
    talk::{Happening, Talk},
};
use crate::{
    attach::{AttachError, CallError, Client, ClientError, everything},
    call::Printer,
    cli::{Arguments, ChatArguments},
    codex_home,
    listen::is_starting,
    settings::Settings,
    signals::{Signals, Wish},
};

/// The client name sent to the server.
const NAME: &str = "codex-app-server-chat";

/// Talks with the agent of the running server. If none is running on the control socket, this process serves itself.
///
/// # Errors
/// There is no server to talk to, or an answer failed.
pub async fn run(
    chat: &ChatArguments,
    arguments: &Arguments,
    codex_home: &Path,
    settings: &Settings,
) -> Result<(), Box<dyn Error>> {
    let endpoint = chat.server.endpoint(codex_home)?;
    // Before anything runs that a signal should end in good order.
    let signals = Signals::install(Wish::Stop)?;
    let may_serve = chat.server.connect.is_none() && !is_starting(codex_home);
    let connected = match may_serve {
        true => Client::connect_now(&endpoint, NAME, &settings.limits).await,
        false => Client::connect(&endpoint, NAME, &settings.limits).await,
    };
    match connected {
        Ok((client, _)) => {
            let conversation = Conversation { chat, arguments, is_here: endpoint.is_on_this_machine() };
            Ok(conversation.hold(client, signals).await?)
        }
        Err(ClientError::Attach(AttachError::Unreachable { .. })) if may_serve => {
            codex_home::ensure(codex_home)?;
            let server = OwnServer::start(arguments, codex_home, settings)?;
            let conversed = match Client::over(server.open(), NAME, everything()).await {
                Ok((client, _)) => Conversation { chat, arguments, is_here: true }.hold(client, signals).await,
                Err(error) => Err(error.into()),
            };
            server.end().await;
            Ok(conversed?)
        }
        Err(error) => Err(CallError::from(error).into()),
    }
}

/// What a person asked for.
struct Conversation<'a> {
    chat: &'a ChatArguments,
    arguments: &'a Arguments,
    /// Paths mean the same to the server.
    is_here: bool,
}

impl Conversation<'_> {
    async fn hold(&self, mut client: Client, signals: Signals) -> Result<(), CallError> {
        let loaded = self.thread(&mut client).await?;
        let paper = Paper::new(Printer::of_stdout(), self.chat.json);
        let keyboard = if std::io::stdin().is_terminal() { Some(Keyboard::open()?) } else { None };
        let (thread, cwd) = (loaded.thread.id.to_string(), loaded.cwd);
        let mut talk = Talk { client, thread, cwd, paper, signals, keyboard, desk: Desk::default() };
        // The agent may be at work already.
        loaded.thread.turns.iter().flat_map(|turn| &turn.items).for_each(|item| talk.desk.note(item));
        let talked = match &self.chat.prompt {
            Some(prompt) => talk.turn(prompt).await,
            None if talk.keyboard.is_some() => talk_on_terminal(&mut talk).await,
            None => {
                let mut prompt = String::new();
                tokio::io::stdin().read_to_string(&mut prompt).await?;
                talk.turn(&prompt).await
            }
        };
        if talk.paper.is_for_people() {
            talk.paper.line(&format!("\nGo on with: codex-app-server chat --thread {}", talk.thread)).await?;
        }
        talk.client.close().await;
        talked
    }

    /// The thread that `--thread` names, or a new one in the working directory.
    async fn thread(&self, client: &mut Client) -> Result<LoadedThread, CallError> {
        if let Some(thread) = &self.chat.thread {
            let params = RawParams::from_texts([("threadId", thread.as_str())]).map_err(ClientError::from)?;
            let resumed = client.request(THREAD_RESUME.method(), &params).await?;
            return Ok(resumed.read::<LoadedThread>().map_err(ClientError::from)?);
        }
        // A server that runs already has not seen this command line.
        let overrides = self.arguments.overrides.iter().filter(|it| it.of_setting().is_none());
        let config: toml::Table = overrides.map(|it| (it.key.clone(), it.toml_value())).collect();
        let cwd = std::env::current_dir().ok().filter(|_| self.is_here);
        let choices = ThreadChoices {
            cwd: cwd.map(|cwd| cwd.to_string_lossy().into_owned()),
            config: Some(config).filter(|config| !config.is_empty()),
            ..ThreadChoices::default()
        };
        let params = ThreadStartParams { choices, ..ThreadStartParams::default() };
        Ok(client.call(&THREAD_START, &params).await?.loaded)
    }
}

/// One message a line, until the end of the input or a Ctrl-C without an answer to interrupt. What others do in the thread
/// meanwhile is shown, and what the agent asks is asked.
async fn talk_on_terminal(talk: &mut Talk) -> Result<(), CallError> {
    let mut is_ready = true;
    // It is put away after the end of the input.
    while talk.keyboard.is_some() {
        let is_asked = talk.desk.question().is_some();
        if is_ready && !is_asked {
            talk.paper.prompt().await?;
        }
        match talk.next(true).await? {
            Happening::Line(line) if is_asked => {
                talk.typed(line).await?;
                is_ready = false;
            }
            Happening::Line(None) | Happening::Signal | Happening::Unread => return Ok(()),
            Happening::Line(Some(line)) if line.trim().is_empty() => is_ready = true,
            Happening::Line(Some(line)) => {
                match talk.turn(&line).await {
                    // It was shown; the next message may fare better.
                    Err(CallError::Unsuccessful(reason)) => talk.paper.line(&reason).await?,
                    answered => answered?,
                }
                is_ready = true;
            }
            Happening::Message(message) => is_ready = talk.told(&message).await?.is_some(),
        }
    }
    Ok(())
}
