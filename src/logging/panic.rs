//! Logs panics like everything else: without blocking on stderr, and as JSON if the log is JSON.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    thread,
};

use log::{Level, Record};

/// Sends panics to the log from now on.
pub fn install() {
    panic::set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let name = thread.name().unwrap_or("without a name");
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("the panic has no message");
    let place = panic.location().map(|location| format!(" at {location}")).unwrap_or_default();
    // Empty unless RUST_BACKTRACE is set.
    let backtrace = Backtrace::capture();
    let trace = match backtrace.status() {
        BacktraceStatus::Captured => format!("\n{backtrace}"),
        _ => String::new(),
    };
    if super::LOGGER.current().is_none() {
        let message = format!("thread {name} panicked{place}: {message}{trace}");
        return super::say_error(&message, &format!("{message}\n"));
    }
    log::logger().log(
        &Record::builder()
            .level(Level::Error)
            .target("panic")
            .file(panic.location().map(|location| location.file()))
            .line(panic.location().map(|location| location.line()))
            .args(format_args!("thread {name} panicked{place}: {message}{trace}"))
            .build(),
    );
}
