//! Files that people bring: dropped onto the page or chosen, they are replayed.

use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::ReplayAnswer;
use web_sys::{DataTransfer, DragEvent, File};

use super::controls::Button;
use crate::client::api;
use crate::settings::Settings;
use crate::words;

/// What a person can say of a file: the words on a button, and a part of a query.
type Choices = [(&'static str, &'static str); 2];

/// A file on its way to the server.
#[derive(Clone, Copy)]
pub(crate) struct Bringing {
    /// What the server says of the replay, and whether it takes files.
    known: RwSignal<Option<ReplayAnswer>>,
    settings: Settings,
    /// The name of a file that is being sent, and how much of it is, from 0 to 1.
    sent: RwSignal<Option<(String, f64)>>,
    /// Why the last file does not play.
    fault: RwSignal<Option<String>>,
    /// That file, and what a person can say of it that the file does not say.
    asked: RwSignal<Option<(File, Choices)>, LocalStorage>,
    /// Whether a file hovers over the page.
    hovers: RwSignal<bool>,
}

impl Bringing {
    /// Nothing yet.
    pub(crate) fn new(known: RwSignal<Option<ReplayAnswer>>, settings: Settings) -> Self {
        Self {
            known,
            settings,
            sent: RwSignal::new(None),
            fault: RwSignal::new(None),
            asked: RwSignal::new_local(None),
            hovers: RwSignal::new(false),
        }
    }

    /// How many bytes a file may have; `None` if the server takes none.
    pub(crate) fn bytes_max(self) -> Option<u64> {
        self.known
            .with(|known| known.as_ref().and_then(|answer| answer.upload_bytes))
    }

    /// Brings a file. What a person says of it is in the parts of a query.
    fn bring(self, file: File, said: &'static str) {
        let name = file.name();
        self.fault.set(None);
        self.asked.set(None);
        let most = untrack(|| self.bytes_max()).unwrap_or(0);
        if file.size() > most as f64 {
            let fault = words::file_too_large(&name, file.size(), most);
            return self.fault.set(Some(fault));
        }
        if self.sent.with_untracked(Option::is_some) {
            return;
        }
        self.sent.set(Some((name.clone(), 0.0)));
        spawn_local(async move {
            let (sent, named) = (self.sent, name.clone());
            let progress = move |share| sent.set(Some((named.clone(), share)));
            let answer = api::bring(&file, said, progress).await;
            self.sent.set(None);
            match answer {
                // Its symbols are others, and so is the length of its bars.
                Ok(answer) => {
                    self.known.set(Some(answer));
                    let Settings {
                        symbols,
                        chart,
                        interval,
                        ..
                    } = self.settings;
                    for setting in [symbols, chart, interval] {
                        setting.set_list(&[]);
                    }
                }
                Err(error) => {
                    let why = words::call_error(&error);
                    let choices = words::FILE_CHOICES
                        .iter()
                        .find(|(flag, _)| why.contains(flag));
                    self.asked.set(choices.map(|(_, choices)| (file, *choices)));
                    self.fault.set(Some(words::not_brought(&name, &why)));
                }
            }
        });
    }

    fn listen(self) {
        let takes =
            move |event: &DragEvent| has_files(event) && untrack(|| self.bytes_max()).is_some();
        // The handles could remove the listeners, which live as long as the page.
        let _ = window_event_listener(ev::dragover, move |event| {
            if takes(&event) {
                // Without this, the browser opens the file itself.
                event.prevent_default();
                self.hovers.set(true);
            }
        });
        let _ = window_event_listener(ev::dragleave, move |event| {
            // Out of the window, and not onto another element.
            if event.related_target().is_none() {
                self.hovers.set(false);
            }
        });
        let _ = window_event_listener(ev::drop, move |event| {
            self.hovers.set(false);
            if takes(&event) {
                event.prevent_default();
                if let Some(file) = event.data_transfer().and_then(|data| first_of(&data)) {
                    self.bring(file, "");
                }
            }
        });
    }
}

/// A share as a whole number of per cent.
fn per_cent(share: f64) -> u32 {
    (100.0 * share) as u32
}

fn has_files(event: &DragEvent) -> bool {
    let kinds = event.data_transfer().map(|data| data.types());
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "Files"))
}

fn first_of(data: &DataTransfer) -> Option<File> {
    data.files()?.get(0)
}

/// What is told of a file that is brought: that it may be dropped, how much of it
/// is sent, and why it does not play.
#[component]
pub(crate) fn Bring(bringing: Bringing) -> impl IntoView {
    bringing.listen();
    let Bringing {
        sent,
        fault,
        asked,
        hovers,
        ..
    } = bringing;
    let words_sent = move || {
        sent.with(|sent| {
            let (name, share) = sent.as_ref()?;
            Some(words::bringing(name, *share))
        })
    };
    let share = move || sent.with(|sent| sent.as_ref().map(|(_, share)| *share));
    view! {
        <div class="drop" role="status" hidden=move || !hovers.get()>
            <p>{words::DROP}</p>
        </div>
        <div class="bringing" role="status" hidden=move || sent.with(Option::is_none)>
            <span>{words_sent}</span>
            // Once all of it is there, it is read, and nobody knows how long that takes.
            <progress max="100" value=move || share().filter(|share| *share < 1.0).map(per_cent)></progress>
        </div>
        <div class="missing" role="alert" hidden=move || fault.with(Option::is_none)>
            <span>{move || fault.get()}</span>
            {move || {
                let (file, choices) = asked.get()?;
                let button = |(label, said): (&'static str, &'static str)| {
                    let file = file.clone();
                    view! { <Button label act=move |()| bringing.bring(file.clone(), said) /> }
                };
                Some(choices.map(button).collect_view())
            }}
            <Button label=words::DISMISS act=move |()| fault.set(None) />
        </div>
    }
}

/// A button that opens a file, where the server takes files.
#[component]
pub(crate) fn OpenFile(bringing: Bringing) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let choose = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let take = move |_| {
        let Some(input) = input.get_untracked() else {
            return;
        };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            bringing.bring(file, "");
        }
        // The same file may be chosen again.
        input.set_value("");
    };
    view! {
        <button
            type="button"
            title=words::OPEN_FILE_TITLE
            hidden=move || bringing.bytes_max().is_none()
            on:click=choose
        >
            {words::OPEN_FILE}
        </button>
        <input type="file" aria-label=words::OPEN_FILE hidden node_ref=input on:change=take />
    }
}
