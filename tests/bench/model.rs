//! A model, as little of it as a turn needs, in the thread that measures.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::Result;

/// A model that nobody has asked yet.
pub struct Model {
    listener: TcpListener,
}

/// A question to the model, whose answer is being written.
pub struct Question {
    stream: TcpStream,
}

impl Model {
    /// On any port.
    pub fn start() -> Result<Self> {
        Ok(Self { listener: TcpListener::bind("127.0.0.1:0")? })
    }

    /// Makes it the model of every thread of `home`.
    pub fn furnish(&self, home: &Path) -> Result<()> {
        let config = format!(
            "model = \"m\"\nmodel_provider = \"bench\"\n[model_providers.bench]\nname = \"Bench\"\n\
             base_url = \"http://{}/v1\"\nwire_api = \"chat\"\n",
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
        let mut question = Question { stream };
        question.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")?;
        Ok(question)
    }
}

impl Question {
    /// One piece of the answer.
    pub fn delta(text: &str) -> String {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
        )
    }

    /// Writes pieces of the answer.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Ends the answer.
    pub fn finish(mut self) -> Result<()> {
        self.write(b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
    }
}
