use std::{future::Future, sync::Arc, time::Duration};

use jiff::civil::Date;
use onenet_eventstore::{PgLog, is_incomplete};
use onenet_kernel::{Clock, Receipt, Version, unless_done};
use onenet_proto::{
    ReadRequest, WriteRequest,
    common::v1::{self as wire, ErrorReason},
};
use onenet_standards::Uscc;
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status};

use crate::{
    Caller, Matter, Policies, Refusal,
    audit::{Audit, Refused},
    call::{Call, Write, digest_of},
    day, field,
    fresh::Freshness,
    identity::{self, Peer},
    memo::Memo,
    receipt,
    register::Register,
    server::RpcPath,
    trace,
};

/// How long a call may take whose caller sets no deadline.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(30);

/// How long before the caller's deadline a refusal for want of time leaves, at most.
const ANSWER_AHEAD: Duration = Duration::from_millis(500);

/// Where every call comes in: who is it, may it, has it been done before. One per context.
#[derive(Clone)]
pub struct Door {
    inner: Arc<Inner>,
}

struct Inner {
    node: String,
    operator: Uscc,
    log: PgLog,
    register: Register,
    policies: Policies,
    /// By the certificate that TLS has verified for the connection.
    peers: Memo<Peer>,
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
    fresh: Freshness,
}

impl Door {
    pub(crate) fn new(
        node: String,
        operator: Uscc,
        log: PgLog,
        policies: Policies,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let register = Register::new(log.db().clone());
        let (peers, audit, fresh) = (Memo::default(), Arc::default(), Freshness::default());
        let inner = Inner { node, operator, log, register, policies, peers, audit, clock, fresh };
        Self { inner: Arc::new(inner) }
    }

    /// What this context knows of divisions, organisations and enterprises.
    #[must_use]
    pub fn register(&self) -> &Register {
        &self.inner.register
    }

    /// The organisation that runs the node; clocks and reactions act as it.
    #[must_use]
    pub fn operator(&self) -> &Uscc {
        &self.inner.operator
    }

    /// The present day in Beijing.
    #[must_use]
    pub fn today(&self) -> Date {
        day::of(self.inner.clock.now())
    }

    pub(crate) fn fresh(&self) -> &Freshness {
        &self.inner.fresh
    }

    pub(crate) fn audit(&self) -> Arc<Audit> {
        Arc::clone(&self.inner.audit)
    }

    /// Whether the caller may do this RPC to `matter`, judged on the day `on`.
    pub fn authorise(&self, call: &Call, matter: &Matter<'_>, on: Date) -> Result<(), Refusal> {
        self.inner.policies.decide(&call.caller, call.action(), matter, on)
    }

    /// Whether reads may lack something: a follower has parked an event, of `key` or of any key.
    pub async fn is_incomplete(&self, key: Option<&str>) -> Result<bool, Refusal> {
        let followers = self.inner.fresh.followers();
        Ok(is_incomplete(self.inner.log.db(), &followers, key).await?)
    }

    /// A matter in a division, with what lies above it.
    pub async fn matter<'a>(
        &self,
        division: &str,
        industry: &'a str,
    ) -> Result<Matter<'a>, Refusal> {
        let chain = self.inner.register.chain(division).await?;
        Ok(Matter { chain, industry, ..Matter::default() })
    }

    /// A write: `intend` checks, authorises and executes. Each of its refusals leaves only after the
    /// log was asked whether this very command was carried out before.
    pub async fn write<T, F, W>(
        &self,
        request: Request<T>,
        intend: W,
    ) -> Result<wire::Receipt, Status>
    where
        T: WriteRequest,
        W: FnOnce(Write, T) -> F,
        F: Future<Output = Result<Receipt, Refusal>>,
    {
        let (call, content) = self.identify(request)?;
        let rpc = call.clone();
        let outcome = self.attempt(call, content, intend).await;
        outcome
            .map(|receipt| receipt::to_wire(&receipt))
            .map_err(|refusal| self.status(&rpc, refusal))
    }

    async fn attempt<T, F, W>(
        &self,
        call: Call,
        mut content: T,
        intend: W,
    ) -> Result<Receipt, Refusal>
    where
        T: WriteRequest,
        W: FnOnce(Write, T) -> F,
        F: Future<Output = Result<Receipt, Refusal>>,
    {
        let envelope = content.take_envelope();
        let command_id = field::uuid("command_id", &envelope.command_id)?;
        let digest = digest_of(&call.rpc, &content.encode_to_vec());
        let expected = envelope.expected_version.map(Version);
        let mut write = Write { call, command_id, digest, expected };
        let cause = write.cause(write.now, "");
        let log = &self.inner.log;
        let intended = async {
            // what the caller is may be among what is to be seen first
            self.see_first(&envelope.fresh_as, write.time_left()).await?;
            self.recognise(&mut write.call).await?;
            if write.time_left().is_zero() {
                let message = "the caller's deadline has passed";
                return Err(Refusal::new(ErrorReason::CommandExpired, message));
            }
            intend(write, content).await
        };
        match intended.await {
            Ok(receipt) => Ok(receipt),
            Err(refusal) => unless_done(log, &cause, refusal, Refusal::from).await,
        }
    }

    /// A read; `answer` authorises and reads what is at least as fresh as the caller asks.
    pub async fn read<T, R, F, A>(
        &self,
        request: Request<T>,
        answer: A,
    ) -> Result<Response<R>, Status>
    where
        T: ReadRequest,
        A: FnOnce(Call, T) -> F,
        F: Future<Output = Result<R, Refusal>>,
    {
        let (mut call, mut content) = self.identify(request)?;
        let (rpc, fresh_as) = (call.clone(), content.take_fresh_as());
        let answered = async {
            self.see_first(&fresh_as, call.time_left()).await?;
            self.recognise(&mut call).await?;
            answer(call, content).await
        };
        answered.await.map(Response::new).map_err(|refusal| self.status(&rpc, refusal))
    }

    /// Who calls and what it is, with the content of the request.
    pub async fn enter<T>(&self, request: Request<T>) -> Result<(Call, T), Status> {
        let (mut call, content) = self.identify(request)?;
        match self.recognise(&mut call).await {
            Ok(()) => Ok((call, content)),
            Err(refusal) => Err(self.status(&call, refusal)),
        }
    }

    /// Waits until what these receipts stand for can be read here.
    async fn see_first(
        &self,
        fresh_as: &[wire::Receipt],
        at_most: Duration,
    ) -> Result<(), Refusal> {
        if fresh_as.is_empty() {
            return Ok(());
        }
        self.inner.fresh.wait(&self.inner.log, fresh_as, at_most).await?;
        self.inner.register.look_again();
        Ok(())
    }

    /// What the register says the caller is.
    async fn recognise(&self, call: &mut Call) -> Result<(), Refusal> {
        let Caller { uscc, certificate_sha256, .. } = &call.caller;
        let register = &self.inner.register;
        (call.caller.office, call.caller.agency) =
            register.standing(uscc.as_str(), certificate_sha256).await?;
        Ok(())
    }

    /// Who calls, as the certificate proves it; a call without one is audited.
    fn identify<T>(&self, request: Request<T>) -> Result<(Call, T), Status> {
        let inner = &*self.inner;
        let now = inner.clock.now();
        let rpc =
            request.extensions().get::<RpcPath>().map(|path| path.0.clone()).unwrap_or_default();
        let certificates = request.peer_certs();
        let certificate = certificates.as_ref().and_then(|chain| chain.first()).map(|der| &der[..]);
        let peer = inner
            .peers
            .answer(certificate.unwrap_or_default(), || identity::peer(certificate, &inner.node));
        let peer = match peer {
            Ok(peer) => peer,
            Err(error) => {
                let caller = request
                    .remote_addr()
                    .map_or_else(String::new, |address| address.ip().to_string());
                let refusal = Refusal::new(ErrorReason::Unauthenticated, error);
                let (reason, rule) = (refusal.reason(), String::new());
                let status = refusal.into_status(&rpc, &trace::trace_id());
                inner.audit.refused(now, Refused { caller, rpc, reason, rule });
                return Err(status);
            }
        };
        let caller = Caller {
            office: None,
            agency: None,
            is_operator: peer.uscc == inner.operator,
            uscc: peer.uscc,
            certificate_sha256: peer.certificate_sha256,
        };
        let timeout = timeout(&request).unwrap_or(WITHOUT_DEADLINE);
        // a little before the caller gives up, so that it learns why
        let deadline = Instant::now() + timeout - (timeout / 10).min(ANSWER_AHEAD);
        Ok((Call { caller, now, today: day::of(now), rpc, deadline }, request.into_inner()))
    }

    /// The status of a refused call; a refusal for what the caller is is audited.
    #[must_use]
    pub fn status(&self, call: &Call, refusal: Refusal) -> Status {
        if refusal.code() == Code::PermissionDenied {
            let refused = Refused {
                caller: call.caller.uscc.as_str().to_owned(),
                rpc: call.rpc.clone(),
                reason: refusal.reason(),
                rule: refusal.metadata("rule").unwrap_or_default().to_owned(),
            };
            self.inner.audit.refused(call.now, refused);
        }
        refusal.into_status(&call.rpc, &trace::trace_id())
    }
}

/// The caller's own deadline: up to eight digits and a unit.
fn timeout<T>(request: &Request<T>) -> Option<Duration> {
    let text = request.metadata().get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number.saturating_mul(3_600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}
