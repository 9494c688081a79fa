//! The list of keyboard shortcuts.

use leptos::html;
use leptos::prelude::*;

use super::chart::KINDS;
use super::controls::Button;
use crate::words;

/// A dialog with all shortcuts.
#[component]
pub(crate) fn Shortcuts(open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        let (open, Some(dialog)) = (open.get(), dialog.get()) else {
            return;
        };
        if !open {
            dialog.close();
        } else if !dialog.open() {
            // Fails only if the dialog is open already.
            let _ = dialog.show_modal();
        }
    });
    let keys = keys().into_iter().map(|(key, what)| {
        view! {
            <dt>
                <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
        }
    });
    view! {
        <dialog aria-label=words::SHORTCUTS node_ref=dialog on:close=move |_| open.set(false)>
            <h2>{words::KEYBOARD}</h2>
            <dl>{keys.collect_view()}</dl>
            <Button label=words::CLOSE act=move |()| open.set(false) />
        </dialog>
    }
}

/// All keys, with what they do.
fn keys() -> Vec<(String, String)> {
    let kinds: Vec<_> = KINDS
        .iter()
        .map(|kind| (kind.shortcut, kind.name))
        .collect();
    words::keys(&kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_does_one_thing() {
        let lines = keys();
        let mut keys: Vec<&str> = lines.iter().flat_map(|line| line.0.split(' ')).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count, "{keys:?}");
    }
}
