use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use onenet_chassis::{
    Policies,
    config::{Settings, Validity, secret},
    day::SystemClock,
};
use onenet_kernel::{Clock, Timestamp};

use super::Report;
use crate::{cli::Doctor, contexts};

const MICROS_PER_DAY: i64 = 86_400_000_000;
const CERTIFICATES: &str = "docs/runbooks/certificates.md";
const SETTINGS: &str = "改正设置后再运行 / mend the setting: docs/onenet.toml";
/// Free space of a data folder below which there is no time to lose, in percent and MiB.
const FULL: (u64, u64) = (2, 256);
const NEARLY_FULL: (u64, u64) = (10, 2_048);

/// What can be seen from this machine alone: settings, certificates, disk.
pub(super) fn look(report: &mut Report, settings: &Settings, options: &Doctor) {
    files(report, settings);
    secrecy(report, settings);
    certificates(report, settings, &(Arc::new(SystemClock) as _), i64::from(options.days));
    if let Some(folder) = data_folder(&options.settings.config) {
        disk(report, &folder);
    }
}

fn files(report: &mut Report, settings: &Settings) {
    if let Err(error) = settings.operator() {
        report.failed("运行单位 / operator", &error, SETTINGS);
    }
    if let Err(error) = settings.database_password() {
        report.failed("数据库口令 / database password", &error, SETTINGS);
    }
    match &settings.exchange.token_key_file {
        None => report.wrong("未设置 / not set: exchange.token_key_file", SETTINGS),
        Some(file) => {
            if let Err(error) = secret("exchange.token_key_file", file) {
                let advice = "从备份取回 / fetch it from the backup: docs/runbooks/backup.md";
                report.failed("续传密钥 / key of resume tokens", &error, advice);
            }
        }
    }
    for context in contexts::all() {
        if let Err(error) = Policies::read(context.name, context.policies) {
            report.failed(
                context.name,
                &error,
                "程序损坏 / the program is damaged: install it anew",
            );
        }
    }
}

/// Whether a file with a secret is open to every user of this machine.
pub(super) fn secrecy(report: &mut Report, settings: &Settings) {
    let Settings { database, exchange, server, kafka, .. } = settings;
    let kafka_key = kafka.as_ref().and_then(|kafka| kafka.tls.as_ref()).map(|tls| &tls.key);
    let secrets = [
        ("database.password_file", Some(&database.password_file)),
        ("database.owner_url_file", database.owner_url_file.as_ref()),
        ("exchange.token_key_file", exchange.token_key_file.as_ref()),
        ("server.key", Some(&server.key)),
        ("kafka.tls.key", kafka_key),
    ];
    for (setting, path) in secrets {
        // one that is not there is found by whoever reads it
        if let Some(path) = path
            && let Ok(file) = fs::metadata(path)
        {
            open_to_all(report, setting, path, file.permissions().mode());
        }
    }
}

fn open_to_all(report: &mut Report, setting: &str, path: &Path, mode: u32) {
    if mode & 0o007 != 0 {
        let what = format!(
            "{setting}: 本机任何用户均可访问 / any user of this machine may open it ({:03o})",
            mode & 0o777
        );
        report.warn(&what, &format!("chmod o= {}", path.display()));
    }
}

fn certificates(report: &mut Report, settings: &Settings, clock: &Arc<dyn Clock>, days: i64) {
    let now = clock.now();
    match settings.tls(clock) {
        Ok(tls) => {
            ends(report, "本节点证书 / the node's certificate", tls.validity, now, days);
        }
        Err(error) => report.failed("证书 / certificates", &error, CERTIFICATES),
    }
    for authority in settings.authorities().unwrap_or_default() {
        ends(report, "签发机构 / an authority of callers", authority, now, days);
    }
    if let Err(error) = settings.check_kafka_tls(now) {
        return report.failed("Kafka 证书 / certificates for Kafka", &error, CERTIFICATES);
    }
    if let Ok(Some((own, authorities))) = settings.kafka_certificates() {
        ends(report, "Kafka 客户端证书 / the node's certificate for Kafka", own, now, days);
        for authority in authorities {
            ends(report, "Kafka 签发机构 / an authority of the brokers", authority, now, days);
        }
    }
}

fn ends(report: &mut Report, whose: &str, validity: Validity, now: Timestamp, days: i64) {
    let left = validity.until.as_micros().saturating_sub(now.as_micros());
    let what = format!("{whose}: 有效至 / good until {}", validity.until);
    if left < 0 {
        report.wrong(&what, CERTIFICATES);
    } else if left < days * MICROS_PER_DAY {
        report.warn(&what, &format!("及早更换 / replace it in time: {CERTIFICATES}"));
    } else {
        report.ok(&what);
    }
}

/// The folder of a node of `onenet up`: its settings stand beside its data. Where others keep their
/// database the settings do not say.
fn data_folder(config: &Path) -> Option<PathBuf> {
    let folder = config.parent()?.join("postgres");
    folder.is_dir().then_some(folder)
}

fn disk(report: &mut Report, folder: &Path) {
    let name = folder.display().to_string();
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail * disk.f_frsize / 1_048_576;
            room(report, &name, free, disk.f_bavail * 100 / disk.f_blocks.max(1));
        }
        Err(error) => report.failed(&format!("磁盘 / disk of {name}"), &error, SETTINGS),
    }
}

/// Of a data folder, in MiB and in percent of its disk.
pub(super) fn room(report: &mut Report, name: &str, free: u64, percent: u64) {
    let what = format!("磁盘 / disk of {name}: 剩余 / free {free} MiB, {percent} %");
    let below = |(least, mib): (u64, u64)| percent < least || free < mib;
    let advice = "腾出空间，绝不删除主题或数据目录中的文件 / make room; delete no topic and no file in a data folder: \
                  docs/runbooks/backup.md";
    if below(FULL) {
        report.wrong(&what, advice);
    } else if below(NEARLY_FULL) {
        report.warn(&what, advice);
    } else {
        report.ok(&what);
    }
}
