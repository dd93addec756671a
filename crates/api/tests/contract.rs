//! The committed TypeScript is the contract's.

use std::{fs, path::Path};

/// `cargo xtask types` sets this variable to have the file written instead of compared.
const WRITE: &str = "TARIM_WRITE_TYPES";

#[test]
fn the_committed_typescript_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/api/generated/contract.ts");
    let contract = tarim_api::typescript::contract();
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, contract).unwrap();
        return;
    }
    let committed = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        committed == contract,
        "{} is not what crates/api declares: run `cargo xtask types` and commit the result",
        file.display()
    );
}
