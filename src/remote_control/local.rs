//! `remote-control --relay local`: a relay and a server in this process, for a phone in the same network.

use std::{
    error::Error,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
};

use app_server_actors::{
    clock::Clock,
    replace::{NewFile, replace},
    vital::Vitals,
};

use super::{
    NAME,
    foreground::tell,
    pairing::{self, Wanted},
    settled,
};
use crate::{
    attach::{CallError, Client, ClientError, Endpoint},
    call::Printer,
    cli::{Arguments, RelayArguments},
    listen::{ListenUrl, RelayAddress, control_socket},
    relay::{self, DIRECTORY, RelayListener},
    serve::serve,
    settings::Settings,
    succession::Succession,
};

/// The port of the relay, the same at every start, so that a page that was opened once is found again.
const PORT: u16 = 8390;

/// The account of this machine, and the file with its token.
const ACCOUNT: &str = "local";
const TOKEN_FILE: &str = "local-token";

/// Runs both until Ctrl-C, and prints a code to pair a phone with.
///
/// # Errors
/// A server runs already, or one of them cannot start.
pub async fn run(
    mut arguments: Arguments,
    codex_home: &Path,
    mut settings: Settings,
    json: bool,
) -> Result<(), Box<dyn Error>> {
    let socket = control_socket(codex_home);
    let endpoint = Endpoint::Unix(socket.clone());
    if Client::connect_now(&endpoint, NAME, &settings.limits).await.is_ok() {
        return Err(
            "a server is running already; end it first (`codex-app-server stop`), or run `relay` by itself".into()
        );
    }
    let vitals = Vitals::default();
    let store = relay::open(codex_home, &settings.limits, &vitals)?;
    let token_file = codex_home.join(DIRECTORY).join(TOKEN_FILE);
    if !token_file.exists() {
        let token = relay::new_token(ACCOUNT, &store).await?;
        replace(&token_file, token.expose().as_bytes(), NewFile::Private)
            .map_err(|error| format!("{}: {error}", token_file.display()))?;
    }
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
    let listen = RelayAddress { address: everywhere, encrypted: false };
    let listening = RelayArguments { action: None, listen, public_url: None, tls_cert: None, tls_key: None };
    let listener = RelayListener::start(&listening, store.clone(), &settings, Clock::system(), &vitals).await?;
    let port = listener.address().port();
    let page = format!("http://{}:{port}", SocketAddr::from((own_address(), port)).ip());
    settings.remote_control.relay = format!("http://127.0.0.1:{port}");
    settings.remote_control.relay_page.clone_from(&page);
    settings.remote_control.relay_token_file = path_text(token_file)?;
    log::warn!(
        "the relay listens for the whole network, and what passes between the phone and this machine is not encrypted; \
         use it only in a network whose other users you trust"
    );

    arguments.listen = vec![ListenUrl::Unix(socket)];
    arguments.remote_control = true;
    let limits = settings.limits.clone();
    let close = settings.shutdown.close_seconds.duration();
    let pairing = async {
        match pair(&endpoint, &limits, &page, json).await {
            // The server goes on without a reader, and reports its own end.
            Ok(()) | Err(CallError::Client(ClientError::Gone)) => {}
            Err(error) => log::warn!("no code is shown: {error}"),
        }
    };
    let served = serve(&arguments, codex_home, settings, Succession::default(), pairing).await;
    relay::end(listener, &store, &vitals, close).await;
    served
}

/// Prints a code as soon as the machine can be reached, and then what changes.
async fn pair(
    endpoint: &Endpoint,
    limits: &app_server_actors::limits::Limits,
    page: &str,
    json: bool,
) -> Result<(), CallError> {
    let mut printer = Printer::of_stdout();
    let (mut client, _) = Client::connect(endpoint, NAME, limits).await?;
    settled(&mut client).await?;
    if !json {
        let warning = "The connection to the phone is not encrypted: use it only in a network that you trust.\n";
        printer.text(warning).await?;
    }
    let waits = printer.is_terminal() && !json;
    let wanted = Wanted { page: Some(page), scopes: None, json, waits };
    if let Err(CallError::Unsuccessful(expired)) = pairing::start(&mut client, &mut printer, wanted).await {
        printer.text(&format!("{expired}: codex-app-server remote-control pair\n")).await?;
    }
    tell(&mut client, &mut printer, json).await
}

/// The address of this machine in its network; that of the loopback without one. Nothing is sent for it.
fn own_address() -> IpAddr {
    /// Documentation only (RFC 5737): whatever leads out of this network leads there.
    const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let asked = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect(ELSEWHERE)?;
        socket.local_addr()
    });
    asked.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

fn path_text(path: PathBuf) -> Result<String, String> {
    let path = fs::canonicalize(&path).unwrap_or(path);
    path.into_os_string().into_string().map_err(|_| "the path of $CODEX_HOME is not UTF-8".to_owned())
}
