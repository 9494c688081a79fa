//! Embeds the page anew whenever it was built anew.

fn main() {
    println!("cargo::rerun-if-changed=page");
}
