use jiff::{ToSpan as _, civil::Date};
use onenet_chassis::day;
use onenet_kernel::Clock as _;
use onenet_standards::Uscc;

/// Who plays: organisations that do not exist, with codes whose check characters are right.
pub(super) struct Cast {
    /// 省应急管理厅: comprehensive supervision of the province.
    pub(super) province: String,
    /// 县应急管理局: files major hazards, decides penalties and listings.
    pub(super) county: String,
    /// 乡镇: proposes an enterprise of its area.
    pub(super) township: String,
    /// 某化工有限公司.
    pub(super) plant: String,
    /// 省信用信息共享交换平台: receives what is listed.
    pub(super) platform: String,
    today: Date,
}

impl Cast {
    pub(super) fn new() -> Self {
        Self {
            province: code("11410000", 1),
            county: code("11410102", 2),
            township: code("11410102", 3),
            plant: code("91410102", 4),
            platform: code("12410000", 5),
            today: day::of(day::SystemClock.now()),
        }
    }

    /// The day so many days ago: the story lies in the past, so that its deadlines have come.
    pub(super) fn ago(&self, days: i32) -> String {
        self.today.checked_sub(days.days()).unwrap_or(self.today).to_string()
    }
}

fn code(registrar: &str, serial: u32) -> String {
    let body = format!("{registrar}{serial:09}");
    Uscc::from_body(&body).map(|uscc| uscc.to_string()).unwrap_or_default()
}
