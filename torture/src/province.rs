use std::{ops::Range, sync::Arc, time::Duration};

use onenet_chassis::testing::{papers::grant_terms, uscc};
use onenet_proto::{
    common::v1::Receipt,
    exchange::v1::{
        GiveGrantRequest, GrantTerms, ListGrantsRequest, RevokeGrantRequest,
        exchange_service_client::ExchangeServiceClient,
    },
};
use tonic::Status;

use crate::{
    ask::{answered, timed},
    asker::Asker,
    officer::key,
    rights::Scope,
    seen::Context,
    terms::Rights,
};

/// Milliseconds for which a grant is in force, and for which none is: long enough that it can be told which.
const GIVEN: Range<u64> = 4_000..9_000;
const REVOKED: Range<u64> = 6_000..12_000;

/// The authority that gives an agency a grant, revokes it, and gives it again.
pub(crate) struct Province {
    asker: Asker,
    agency: u32,
    /// What it gives, one of these each time.
    scopes: Vec<Scope>,
    rights: Arc<Rights>,
}

impl Province {
    pub(crate) fn new(asker: Asker, agency: u32, scopes: Vec<Scope>, rights: Arc<Rights>) -> Self {
        Self { asker, agency, scopes, rights }
    }

    /// Until it is told to stop.
    pub(crate) async fn run(mut self) {
        while self.give_and_revoke().await.is_some() {}
    }

    async fn give_and_revoke(&mut self) -> Option<()> {
        let scope = self.asker.chance.choice(&self.scopes).cloned()?;
        let terms = terms_of(&scope);
        self.rights.grants.give(scope);
        let give = GiveGrantRequest {
            agency: uscc(self.agency),
            terms: Some(terms),
            ..GiveGrantRequest::default()
        };
        let receipt = self.asker.insist(give).await?;
        known(&self.asker, self.agency, &receipt).await?;
        self.rights.grants.given();
        self.stand(GIVEN).await?;

        self.rights.grants.revoke(|_| true);
        let (grant_id, reason) = (key(&receipt), "用途变更".to_owned());
        let revoke = RevokeGrantRequest { grant_id, reason, ..RevokeGrantRequest::default() };
        let receipt = self.asker.insist(revoke).await?;
        known(&self.asker, self.agency, &receipt).await?;
        self.rights.grants.revoked();
        self.stand(REVOKED).await
    }

    async fn stand(&mut self, millis: Range<u64>) -> Option<()> {
        let time = Duration::from_millis(self.asker.chance.u64(millis));
        self.asker.pause(time).await
    }
}

/// Waits until the node's own list of grants is seen to be as fresh as a change of an agency's rights.
pub(crate) async fn known(asker: &Asker, agency: u32, changed: &Receipt) -> Option<()> {
    while list(asker, agency, changed).await.is_err() {
        asker.before_again().await?;
    }
    Some(())
}

async fn list(asker: &Asker, agency: u32, changed: &Receipt) -> Result<(), Status> {
    let channel = asker.caller.channel(Context::Exchange)?;
    let (fresh_as, agency) = (vec![changed.clone()], Some(uscc(agency)));
    let ask = ListGrantsRequest { fresh_as, agency, ..ListGrantsRequest::default() };
    answered(ExchangeServiceClient::new(channel).list_grants(timed(ask))).await.map(drop)
}

fn terms_of(scope: &Scope) -> GrantTerms {
    let Scope { event_types, subtree, industries, .. } = scope.clone();
    let whole = grant_terms(&[]);
    let subtree = subtree.unwrap_or(whole.subtree);
    GrantTerms { event_types, subtree, industries, ..whole }
}
