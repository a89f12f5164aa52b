//! What an editor offers inside an attributed function, asked of rust-analyzer over LSP.
//!
//! One server is started on a crate of its own, and asked once it is at rest. A cursor is a `$0` in the
//! source; each question replaces the text, as typing does.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything takes on a busy machine; only a server that hangs meets it.
const PATIENCE: Duration = Duration::from_mins(5);

#[test]
fn completion_works_in_an_attributed_function() {
    let Some(analyzer) = analyzer() else {
        return crate::skip("rust-analyzer is not installed");
    };
    let mut server = Server::start(&analyzer);
    // What the editor does not know without the attribute, it cannot know with it.
    let bare = "fn f() { let guard = pidfile::PidFile::acquire(\"/a\").unwrap(); guard.$0 }";
    if !server.complete(bare).iter().any(|label| label == "verify") {
        return crate::skip("rust-analyzer cannot read the standard library here");
    }
    for (what, source, offered) in [
        (
            "the last expression of a body",
            "#[pidfile(\"/a.pid\")]\nfn f(text: &str) -> Result<usize, pidfile::Error> { text.$0 }",
            "trim_start",
        ),
        (
            "a statement of a body",
            "#[pidfile(\"/a.pid\")]\nfn f(text: &str) { text.$0; }",
            "trim_start",
        ),
        (
            "a hidden return type",
            "#[pidfile(\"/a.pid\", on_error = |_| panic!())]\nfn f(text: &str) -> impl Sized { let x = 1; text.$0 }",
            "trim_start",
        ),
        (
            "an async function",
            "#[pidfile(\"/a.pid\")]\nasync fn f(text: &str) -> Result<usize, pidfile::Error> { text.$0 }",
            "trim_start",
        ),
        (
            "a value",
            "#[pidfile(path = text.$0)]\nfn f(text: &str) {}",
            "trim_start",
        ),
        (
            "a handler",
            "#[pidfile(\"/a.pid\", on_error = |error| { error.$0 })]\nfn f() {}",
            "exit_code",
        ),
        (
            "a guard",
            "#[pidfile(\"/a.pid\", held = guard)]\nfn f() { guard.$0 }",
            "verify",
        ),
        (
            "a function with a mistake beside it",
            "#[pidfile(\"/a.pid\", chmod = 600, held = guard)]\nfn f() { guard.$0 }",
            "verify",
        ),
    ] {
        let labels = server.complete(source);
        assert!(
            labels.iter().any(|label| label.contains(offered)),
            "{what}: {labels:?}"
        );
    }

    // Nothing of ours is in the way.
    let labels = server.complete("#[pidfile(\"/a.pid\")]\nfn f(text: &str) { let x = 1; $0 }");
    assert!(labels.iter().any(|label| label == "text"), "{labels:?}");
    let ours = labels.iter().find(|label| label.contains("__pidfile"));
    assert_eq!(ours, None);

    let labels = server.complete("#[pidfile(\"/a.pid\", chmod = te$0)]\nfn f(text: u32) {}");
    assert!(labels.iter().any(|label| label == "text"), "{labels:?}");
    let ours = labels.iter().find(|label| label.contains("__pidfile"));
    assert_eq!(ours, None);

    // A key leads to its setter.
    let hover = server.hover("#[pidfile(path = \"/a.pid\", chm$0od = 0o600)]\nfn f() {}");
    assert!(hover.contains("chmod"), "{hover}");
}

/// The server that belongs to this toolchain, or any other.
fn analyzer() -> Option<PathBuf> {
    let output = Command::new(crate::compiler::rustc())
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    let own = Path::new(sysroot.trim()).join("bin/rust-analyzer");
    [own, "rust-analyzer".into()].into_iter().find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|version| version.status.success())
    })
}

struct Server {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    uri: String,
    /// Counts requests and versions of the text.
    count: i64,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it has ended by itself, all the better.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(program: &Path) -> Server {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let root = folder.path();
        let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pidfile");
        let manifest = format!(
            "[package]\nname = \"edited\"\nedition = \"2024\"\n[workspace]\n\
             [dependencies]\npidfile = {{ path = \"{}\" }}\n",
            runtime.display()
        );
        fs::create_dir(root.join("src")).expect("it is an empty folder");
        fs::write(root.join("Cargo.toml"), manifest).expect("it can be written");
        fs::write(root.join("src/lib.rs"), "").expect("it can be written");
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, root.join("Cargo.lock")).expect("it can be copied");

        let mut process = Command::new(program)
            .current_dir(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it has just told its version");
        let output = process.stdout.take().expect("it was asked for");
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut server = Server {
            input: process.stdin.take().expect("it was asked for"),
            process,
            messages,
            uri: format!("file://{}", root.join("src/lib.rs").display()),
            count: 0,
            folder,
        };
        let root = format!("file://{}", server.folder.path().display());
        server.request(
            "initialize",
            &json!({
                "processId": null,
                "rootUri": root,
                "capabilities": { "experimental": { "serverStatusNotification": true } },
                "initializationOptions": { "checkOnSave": false, "cachePriming": { "enable": false } },
            }),
        );
        server.notify("initialized", &json!({}));
        server.wait(|message| {
            message["method"] == "experimental/serverStatus"
                && message["params"]["quiescent"] == true
        });
        let text = json!({ "uri": server.uri, "languageId": "rust", "version": 0, "text": "" });
        server.notify("textDocument/didOpen", &json!({ "textDocument": text }));
        server
    }

    fn complete(&mut self, source: &str) -> Vec<String> {
        let answer = self.ask("textDocument/completion", source);
        let items = answer["items"].as_array().or_else(|| answer.as_array());
        let labels = items.into_iter().flatten().map(|item| &item["label"]);
        labels.filter_map(Value::as_str).map(Into::into).collect()
    }

    fn hover(&mut self, source: &str) -> String {
        self.ask("textDocument/hover", source)["contents"].to_string()
    }

    /// Replaces the text, and asks about the place of its cursor.
    fn ask(&mut self, method: &str, source: &str) -> Value {
        let source = format!("use pidfile::pidfile;\n{source}\n");
        let (before, after) = source.split_once("$0").expect("there is a cursor");
        let line = before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        self.count += 1;
        let document = json!({ "uri": self.uri, "version": self.count });
        let text = json!([{ "text": format!("{before}{after}") }]);
        self.notify(
            "textDocument/didChange",
            &json!({ "textDocument": document, "contentChanges": text }),
        );
        self.request(
            method,
            &json!({
                "textDocument": { "uri": self.uri },
                "position": { "line": line, "character": column },
            }),
        )
    }

    fn request(&mut self, method: &str, params: &Value) -> Value {
        self.count += 1;
        let id = self.count;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let mut answer = self.wait(|message| message["id"] == id && message["method"].is_null());
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].take()
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn write(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("it reads");
        self.input.flush().expect("it reads");
    }

    /// The first message of that kind. What the server itself asks is answered with nothing.
    fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self
                .messages
                .recv_timeout(left)
                .expect("rust-analyzer answers");
            if wanted(&message) {
                return message;
            }
            if !(message["method"].is_null() || message["id"].is_null()) {
                self.write(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null }));
            }
        }
    }
}

/// The next message, if the server has not ended.
fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        output.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
