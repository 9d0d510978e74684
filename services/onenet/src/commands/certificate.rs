use anyhow::{Context as _, Result, ensure};
use onenet_devservers::Pki;
use onenet_standards::Uscc;

use crate::cli::{Certificate, say};

/// A certificate of a private node's own authority.
pub(crate) fn run(options: &Certificate) -> Result<()> {
    let uscc: Uscc =
        options.uscc.parse().with_context(|| format!("{} is no USCC", options.uscc))?;
    let folder = options.data.join("pki");
    ensure!(
        folder.join("ca.pem").exists(),
        "{} holds no authority: name the folder of a node that `onenet up` made",
        folder.display()
    );
    let identity = Pki::open(&folder)?.organisation(&options.node, uscc.as_str())?;
    say(&format!(
        "certificate  {}\nkey          {}",
        identity.certificate.display(),
        identity.key.display()
    ));
    Ok(())
}
