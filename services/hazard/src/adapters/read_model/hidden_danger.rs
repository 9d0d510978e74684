use onenet_chassis::{
    Refusal, Scope,
    view::{self, Paging},
};
use onenet_eventstore::{Db, DbError, HandleError, sqlx, sqlx::PgConnection};
use onenet_kernel::{Corrupt, Recorded, WireEvent as _};
use onenet_proto::{
    common::v1::{Obligation, Page},
    hazard::v1::{HiddenDangerGrade, HiddenDangerState as State, HiddenDangerView},
};
use onenet_standards::Uscc;
use prost::Message as _;

use crate::domain::{self, HiddenDangerEvent as Event};

/// Folds an event of a hidden danger into its view.
pub(super) async fn handle(tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
    let decoded = Event::decode(&event.event_type, &event.payload)?;
    let bytes: Option<Vec<u8>> = sqlx::query_scalar(
        "select view from hidden_dangers where hidden_danger_id = $1 for update",
    )
    .bind(event.stream.key())
    .fetch_optional(&mut *tx)
    .await?;
    let view = match (bytes, &decoded) {
        (_, Event::HiddenDangerReported { .. }) => HiddenDangerView::default(),
        (Some(bytes), _) => view::decode(&bytes)?,
        (None, _) => {
            return Err(
                Corrupt::new(&event.event_type, "its hidden danger was not reported").into()
            );
        }
    };
    keep(tx, &HiddenDangerView { version: event.version.0, ..after(view, decoded) }).await
}

fn after(view: HiddenDangerView, event: Event) -> HiddenDangerView {
    let mut view = view;
    match event {
        Event::HiddenDangerReported {
            hidden_danger_id,
            enterprise,
            division,
            industry,
            finding,
            reported_by,
        } => {
            view.hidden_danger_id = hidden_danger_id.to_string();
            view.enterprise = enterprise.to_string();
            (view.division, view.industry) = (division, industry);
            view.finding = Some((&finding).into());
            view.reported_by = reported_by.to_string();
            view.set_state(State::Open);
        }
        Event::HiddenDangerGraded { grading, escalation, .. } => {
            view.grading = Some((&grading).into());
            set(&mut view.escalation, escalation.as_ref());
        }
        Event::RectificationOrdered { organ, order, rectification, escalation, .. } => {
            (view.order, view.ordered_by) = (Some((&order).into()), Some(organ.to_string()));
            view.deadline = Some((&rectification).into());
            (view.overdue, view.escalated_to, view.escalation_level) = (false, None, 0);
            set(&mut view.escalation, escalation.as_ref());
        }
        Event::TreatmentReported { report, .. } => view.reports.push((&report).into()),
        Event::HiddenDangerRectified { rectification, deadline, escalation, .. } => {
            view.rectification = Some((&rectification).into());
            set(&mut view.deadline, deadline.as_ref());
            set(&mut view.escalation, escalation.as_ref());
            view.set_state(State::Rectified);
        }
        Event::RectificationAccepted { accepted_by, acceptance, .. } => {
            view.acceptance = Some((&acceptance).into());
            view.accepted_by = Some(accepted_by.to_string());
            view.set_state(State::Accepted);
        }
        Event::HiddenDangerRechecked { recheck, .. } => view.rechecks.push((&recheck).into()),
        Event::HiddenDangerReopened { recheck, deadline, escalation, .. } => {
            view.rechecks.push((&recheck).into());
            (view.acceptance, view.accepted_by) = (None, None);
            set(&mut view.deadline, deadline.as_ref());
            set(&mut view.escalation, escalation.as_ref());
            view.set_state(State::Open);
        }
        Event::HiddenDangerOverdue { rectification, escalation, .. } => {
            view.overdue = true;
            view.deadline = Some((&rectification).into());
            set(&mut view.escalation, escalation.as_ref());
        }
        Event::HiddenDangerEscalated { organ, level, escalation, next, .. } => {
            (view.escalated_to, view.escalation_level) = (Some(organ.to_string()), level);
            view.escalation = Some(next.as_ref().unwrap_or(&escalation).into());
        }
        Event::RectificationRescheduled { rectification, .. } => {
            view.deadline = Some((&rectification).into());
        }
        Event::HiddenDangerCorrected { finding, reason, .. } => {
            view.finding = Some((&finding).into());
            view.corrections.push(reason);
        }
        Event::TreatmentReportCorrected { report_no, report, reason, .. } => {
            let mut numbered = (1..).zip(&mut view.reports);
            if let Some((_, kept)) = numbered.find(|(number, _)| *number == report_no) {
                *kept = (&report).into();
            }
            view.corrections.push(reason);
        }
        Event::HiddenDangerWithdrawn { reason, deadline, escalation, .. } => {
            view.corrections.push(reason);
            set(&mut view.deadline, deadline.as_ref());
            set(&mut view.escalation, escalation.as_ref());
            view.set_state(State::Withdrawn);
        }
    }
    view
}

fn set(kept: &mut Option<Obligation>, changed: Option<&domain::Obligation>) {
    if let Some(changed) = changed {
        *kept = Some(changed.into());
    }
}

async fn keep(tx: &mut PgConnection, view: &HiddenDangerView) -> Result<(), HandleError> {
    let grade = view.grading.as_ref().map(|grading| grading.grade).unwrap_or_default();
    sqlx::query(
        "insert into hidden_dangers
            (hidden_danger_id, enterprise, division, industry, grade, state, is_overdue, view)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (hidden_danger_id) do update set grade = excluded.grade,
            state = excluded.state, is_overdue = excluded.is_overdue, view = excluded.view",
    )
    .bind(&view.hidden_danger_id)
    .bind(&view.enterprise)
    .bind(&view.division)
    .bind(&view.industry)
    .bind(grade)
    .bind(view.state)
    .bind(view.overdue)
    .bind(view.encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

/// What a list of hidden dangers is narrowed to.
pub(crate) struct HiddenDangerFilter {
    pub(crate) enterprise: Option<Uscc>,
    pub(crate) grade: Option<HiddenDangerGrade>,
    pub(crate) state: Option<State>,
    pub(crate) only_overdue: bool,
}

pub(crate) async fn hidden_danger(db: &Db, id: &str) -> Result<Option<HiddenDangerView>, DbError> {
    view::one(db, "select view from hidden_dangers where hidden_danger_id = $1", id).await
}

pub(crate) async fn hidden_dangers(
    db: &Db,
    paging: &Paging,
    scope: &Scope,
    filter: &HiddenDangerFilter,
) -> Result<(Vec<HiddenDangerView>, Page), Refusal> {
    let rows = sqlx::query_as(
        "select hidden_danger_id, view from hidden_dangers
         where hidden_danger_id > $1
            and ($2::text[] is null or division = any($2))
            and (cardinality($3::text[]) = 0
                or exists (select from unnest($3) prefix where starts_with(industry, prefix)))
            and ($4::text is null or enterprise = $4)
            and ($5::text is null or enterprise = $5)
            and ($6::integer is null or grade = $6)
            and ($7::integer is null or state = $7)
            and (is_overdue or not $8)
         order by hidden_danger_id limit $9",
    )
    .bind(&paging.after)
    .bind(scope.divisions())
    .bind(scope.industries())
    .bind(scope.subject())
    .bind(filter.enterprise.as_ref().map(Uscc::as_str))
    .bind(filter.grade.map(i32::from))
    .bind(filter.state.map(i32::from))
    .bind(filter.only_overdue)
    .bind(paging.fetch())
    .fetch_all(&mut *db.reader().await?)
    .await
    .map_err(DbError::while_("listing hidden dangers"))?;
    paging.page(rows)
}
