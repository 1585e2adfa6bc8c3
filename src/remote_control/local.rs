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
    place::Place,
    settled,
};
use crate::{
    attach::{CallError, Client, ClientError, Endpoint},
    call::Printer,
    cli::Arguments,
    listen::{ListenUrl, RelayAddress, control_socket},
    relay::{self, DIRECTORY, Opening, RelayListener, certificate},
    serve::serve,
    settings::Settings,
    succession::Succession,
};

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
    encrypted: bool,
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
    let tls = encrypted.then(|| own_certificate(codex_home, &settings)).transpose()?;
    let listen =
        RelayAddress { address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, settings.relay.local_port)), encrypted };
    let opening = Opening { listen, public: None, tls, own_machine: encrypted };
    let listener = RelayListener::start(opening, codex_home, store.clone(), &settings, &vitals).await?;
    let address = SocketAddr::from((own_address(), listener.address().port()));
    let page = format!("{}://{address}", if encrypted { "https" } else { "http" });
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, listener.own_address().port()));
    settings.remote_control.relay = format!("http://{own}");
    settings.remote_control.relay_page.clone_from(&page);
    settings.remote_control.relay_token_file = path_text(token_file)?;
    if !encrypted {
        log::warn!(
            "the relay listens for the whole network, and its page comes to the phone without encryption, so that others could \
             change it on the way; use it only in a network whose other users you trust"
        );
    }
    let place = Place::of_local(page, listener.identity());

    arguments.listen = vec![ListenUrl::Unix(socket)];
    arguments.remote_control = true;
    let limits = settings.limits.clone();
    let close = settings.shutdown.close_seconds.duration();
    let pairing = async {
        match pair(&endpoint, &limits, place, json).await {
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
    place: Place,
    json: bool,
) -> Result<(), CallError> {
    let mut printer = Printer::of_stdout();
    let (mut client, _) = Client::connect(endpoint, NAME, limits).await?;
    settled(&mut client).await?;
    let waits = printer.is_terminal() && !json;
    let wanted = Wanted { place: Some(place), scopes: None, json, waits };
    if let Err(CallError::Unsuccessful(expired)) = pairing::start(&mut client, &mut printer, wanted).await {
        printer.text(&format!("{expired}: codex-app-server remote-control pair\n")).await?;
    }
    tell(&mut client, &mut printer, json).await
}

/// The certificate that this machine makes for itself, and its key.
fn own_certificate(codex_home: &Path, settings: &Settings) -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_name = !host.is_empty() && host.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.'));
    let host = is_name.then_some(host);
    let names: Vec<String> =
        host.iter().flat_map(|host| [host.clone(), format!("{host}.local")]).chain(["localhost".to_owned()]).collect();
    let wanted = certificate::Wanted {
        names: &names,
        addresses: &[own_address(), Ipv4Addr::LOCALHOST.into()],
        days: settings.relay.certificate_days,
        renew_days: settings.relay.certificate_renew_days,
        now: Clock::system().unix_ms() / 1000,
    };
    let files = certificate::keep(&codex_home.join(DIRECTORY), &wanted)?;
    Ok((files.certificate, files.key))
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
