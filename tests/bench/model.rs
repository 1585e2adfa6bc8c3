//! A model, as little of it as a turn needs, in the thread that measures.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::process::Contestant;

/// A model that nobody has asked yet.
pub struct Model {
    listener: TcpListener,
}

/// A question to the model, whose answer is being written.
pub struct Question {
    stream: TcpStream,
    wire: Wire,
}

/// How the question came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Chat,
    Responses,
}

impl Model {
    /// On any port.
    pub fn start() -> Result<Self> {
        Ok(Self { listener: TcpListener::bind("127.0.0.1:0")? })
    }

    /// Makes it the model of every thread of `home`. The reference program knows one wire only.
    pub fn furnish(&self, home: &Path, who: Contestant) -> Result<()> {
        let wire = if who == Contestant::Reference { "responses" } else { "chat" };
        let config = format!(
            "model = \"m\"\nmodel_provider = \"bench\"\n[model_providers.bench]\nname = \"Bench\"\n\
             base_url = \"http://{}/v1\"\nwire_api = \"{wire}\"\n",
            self.listener.local_addr()?
        );
        Ok(fs::write(home.join("config.toml"), config)?)
    }

    /// Waits for the next question, and begins to answer.
    pub fn asked(&self) -> Result<Question> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut reader = BufReader::new(&stream);
        let mut wanted = String::new();
        reader.read_line(&mut wanted)?;
        let wire = if wanted.contains("/responses") { Wire::Responses } else { Wire::Chat };
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Err("the server closed its connection to the model".into());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        let mut question = Question { stream, wire };
        question.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")?;
        question.begin()?;
        Ok(question)
    }
}

impl Question {
    /// One piece of the answer.
    pub fn delta(&self, text: &str) -> String {
        match self.wire {
            Wire::Chat => format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
            ),
            Wire::Responses => event(
                "response.output_text.delta",
                &format!(r#""item_id":"m","output_index":0,"content_index":0,"delta":"{text}""#),
            ),
        }
    }

    fn begin(&mut self) -> Result<()> {
        if self.wire == Wire::Chat {
            return Ok(());
        }
        let item = r#""item":{"type":"message","id":"m","role":"assistant","content":[]}"#;
        let begun = event("response.created", r#""response":{"id":"r"}"#)
            + &event("response.output_item.added", &format!(r#""output_index":0,{item}"#));
        self.write(begun.as_bytes())
    }

    /// Writes pieces of the answer.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Ends the answer.
    pub fn finish(mut self) -> Result<()> {
        if self.wire == Wire::Chat {
            return self.write(
                b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
            );
        }
        // Its text is not that of the pieces, which nobody compares here.
        let content = r#""content":[{"type":"output_text","text":"done"}]"#;
        let item = format!(r#""item":{{"type":"message","id":"m","role":"assistant",{content}}}"#);
        let ended = event("response.output_item.done", &format!(r#""output_index":0,{item}"#))
            + &event("response.completed", r#""response":{"id":"r"}"#);
        self.write(ended.as_bytes())
    }
}

fn event(kind: &str, members: &str) -> String {
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\",{members}}}\n\n")
}
