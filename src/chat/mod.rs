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

use std::{error::Error, io::IsTerminal as _, path::Path, time::Duration};

use app_server_actors::{
    limits::Limits,
    protocol::{
        calls::{THREAD_RESUME, THREAD_START},
        raw::RawParams,
        thread::{LoadedThread, ThreadChoices, ThreadStartParams},
    },
};
use tokio::{io::AsyncReadExt as _, time::sleep};

use self::{
    desk::Desk,
    keyboard::Keyboard,
    own::OwnServer,
    paper::Paper,
    talk::{Happening, Talk},
};
use crate::{
    attach::{AttachError, CallError, Client, ClientError, Endpoint, everything},
    call::Printer,
    cli::{Arguments, ChatArguments},
    codex_home,
    listen::is_starting,
    settings::Settings,
    signals::{Signals, Wish},
};

/// The client name sent to the server.
const NAME: &str = "codex-app-server-chat";

/// Pause between attempts to connect again.
const PAUSE: Duration = Duration::from_secs(1);

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
            let server = Some((&endpoint, &settings.limits));
            let conversation = Conversation { chat, arguments, is_here: endpoint.is_on_this_machine(), server };
            Ok(conversation.hold(client, signals).await?)
        }
        Err(ClientError::Attach(AttachError::Unreachable { .. })) if may_serve => {
            codex_home::ensure(codex_home)?;
            let server = OwnServer::start(arguments, codex_home, settings)?;
            let conversed = match Client::over(server.open(), NAME, everything()).await {
                Ok((client, _)) => {
                    Conversation { chat, arguments, is_here: true, server: None }.hold(client, signals).await
                }
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
    /// The server to come back to; `None` for one in this process.
    server: Option<(&'a Endpoint, &'a Limits)>,
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
            None if talk.keyboard.is_some() => loop {
                match talk_on_terminal(&mut talk).await {
                    Err(CallError::Client(lost)) if lost.may_come_back() && self.server.is_some() => {
                        if !self.come_back(&mut talk, &lost).await? {
                            break Ok(());
                        }
                    }
                    talked => break talked,
                }
            },
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

    /// Connects again and goes on with the thread, as after an upgrade of the server. Returns false if the person has left
    /// meanwhile.
    async fn come_back(&self, talk: &mut Talk, lost: &ClientError) -> Result<bool, CallError> {
        let Some((endpoint, limits)) = self.server else { return Ok(false) };
        let lost = lost.to_string();
        let first = lost.lines().next().unwrap_or_default();
        talk.paper.line(&format!("\n{first}; connecting again (Ctrl-C leaves)")).await?;
        loop {
            let connected = tokio::select! {
                connected = Client::connect(endpoint, NAME, limits) => connected,
                () = talk.signals.stop() => return Ok(false),
            };
            match connected {
                Ok((mut client, _)) => {
                    let loaded = resumed(&mut client, &talk.thread).await?;
                    (talk.client, talk.desk) = (client, Desk::default());
                    loaded.thread.turns.iter().flat_map(|turn| &turn.items).for_each(|item| talk.desk.note(item));
                    talk.paper.line("Connected again.").await?;
                    return Ok(true);
                }
                Err(error) if error.may_come_back() => sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The thread that `--thread` names, or a new one in the working directory.
    async fn thread(&self, client: &mut Client) -> Result<LoadedThread, CallError> {
        if let Some(thread) = &self.chat.thread {
            return resumed(client, thread).await;
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

/// The thread, which `client` follows from now on.
async fn resumed(client: &mut Client, thread: &str) -> Result<LoadedThread, CallError> {
    let params = RawParams::from_texts([("threadId", thread)]).map_err(ClientError::from)?;
    let resumed = client.request(THREAD_RESUME.method(), &params).await?;
    Ok(resumed.read::<LoadedThread>().map_err(ClientError::from)?)
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
