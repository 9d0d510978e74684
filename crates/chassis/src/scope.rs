use crate::{Call, Door, Matter, Refusal};

/// Which rows of a list a caller may see: those of an area and its industries, or those about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    divisions: Option<Vec<String>>,
    industries: Vec<String>,
    subject: Option<String>,
}

impl Scope {
    /// The rows' divisions; none means every one.
    #[must_use]
    pub fn divisions(&self) -> Option<&[String]> {
        self.divisions.as_deref()
    }

    /// Prefixes of the rows' industries; empty means every one.
    #[must_use]
    pub fn industries(&self) -> &[String] {
        &self.industries
    }

    /// Whom the rows are about; none means everybody.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }
}

impl Door {
    /// What the caller may list, within `subtree` where it names one. A public body is judged by the
    /// division at the root of the list and narrowed to its industries; anybody else sees itself.
    pub async fn scope(&self, call: &Call, subtree: Option<&str>) -> Result<Scope, Refusal> {
        let Some(office) = &call.caller.office else {
            let uscc = call.uscc().as_str();
            self.authorise(call, &Matter { subject: Some(uscc), ..Matter::default() }, call.today)?;
            let divisions = match subtree {
                Some(root) => Some(self.register().subtree(root).await?),
                None => None,
            };
            return Ok(Scope { divisions, industries: Vec::new(), subject: Some(uscc.to_owned()) });
        };
        let root = subtree.unwrap_or(&office.division);
        self.authorise(call, &self.matter(root, "").await?, call.today)?;
        let divisions = Some(self.register().subtree(root).await?);
        Ok(Scope { divisions, industries: office.industries.clone(), subject: None })
    }
}
