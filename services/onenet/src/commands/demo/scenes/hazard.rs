use anyhow::{Context as _, Result, bail};
use onenet_proto::{
    common::v1::{Fraction, Receipt},
    hazard::v1::{
        FileMajorHazardRequest, GetMajorHazardRequest, HazardUnit, HazardUnitKind,
        IdentifyMajorHazardRequest, Substance,
        major_hazard_service_client::MajorHazardServiceClient,
    },
};
use tonic::Status;
use tonic_types::StatusExt as _;

use super::{Stage, new_id, say};

/// 氯 in Table 1 of GB 18218-2018.
const CHLORINE: u32 = 12;

impl Stage<'_> {
    /// GB 18218 in exact fractions, and a refusal that says why.
    pub(in super::super) async fn hazard(&self, plant: &Receipt) -> Result<()> {
        say("\n[5] 重大危险源辨识与备案 / a major hazard is identified (GB 18218-2018) and filed");
        let identify = |quantity: &str| IdentifyMajorHazardRequest {
            command_id: new_id(),
            fresh_as: vec![plant.clone()],
            enterprise: self.cast.plant.clone(),
            unit: Some(HazardUnit {
                name: "液氯储罐区".to_owned(),
                kind: HazardUnitKind::Storage.into(),
            }),
            substances: vec![Substance {
                // chlorine stands in Table 1; the table gives Q, Table 3 gives β
                table1_no: Some(CHLORINE),
                name: "氯".to_owned(),
                class_symbols: Vec::new(),
                quantity_t: quantity.to_owned(),
            }],
            residents_within_500m: Some(60),
            ..IdentifyMajorHazardRequest::default()
        };
        let mut enterprise = MajorHazardServiceClient::new(self.channel(&self.cast.plant)?);
        let refused = enterprise.identify_major_hazard(identify("4.9")).await;
        say(&format!("  4.9 t: {}", refusal(refused)?));
        let identified = enterprise.identify_major_hazard(identify("25")).await?.into_inner();
        let file = FileMajorHazardRequest {
            command_id: new_id(),
            hazard_id: identified.hazard_id.clone(),
            filing_number: "BA豫410102〔0001〕".to_owned(),
            filed_on: self.cast.ago(150),
            ..FileMajorHazardRequest::default()
        };
        let mut county = MajorHazardServiceClient::new(self.channel(&self.cast.county)?);
        let filed = county.file_major_hazard(file).await?.into_inner().receipt;
        let get = GetMajorHazardRequest {
            fresh_as: filed.into_iter().collect(),
            hazard_id: identified.hazard_id,
        };
        let view = county.get_major_hazard(get).await?.into_inner().hazard.context("a view")?;
        let assessment = view.assessment.context("an assessment")?;
        let fraction = |it: &Option<Fraction>| {
            it.as_ref()
                .map_or_else(String::new, |it| format!("{}/{}", it.numerator, it.denominator))
        };
        say(&format!(
            "  25 t: S = {}, R = {}, {} → 已备案 / filed",
            fraction(&assessment.s),
            fraction(&assessment.r),
            assessment.level().as_str_name(),
        ));
        Ok(())
    }
}

/// What a refused call says, in Chinese as an officer reads it.
fn refusal<T>(outcome: Result<T, Status>) -> Result<String> {
    let Err(status) = outcome else { bail!("a refusal was expected") };
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let zh = details.localized_message().map(|zh| zh.message.clone()).unwrap_or_default();
    Ok(format!("{reason} {zh}"))
}
