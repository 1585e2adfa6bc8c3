//! The report as a picture for a README: a panel for each figure that was chosen for it, a bar for each contestant.
//!
//! The scale of a panel starts at zero and is its own, so only bars of the same panel can be compared.

use std::fmt::Write;

use super::Report;
use super::figure::{Figure, Unit};
use crate::process::Contestant;

const COLUMNS: usize = 3;
/// Pixels, as everything here; a panel with the gap to the next one.
const PANEL_WIDTH: f64 = 300.0;
const MARGIN: f64 = 24.0;
/// Above the panels: title and legend.
const HEADER: f64 = 84.0;
const FOOTER: f64 = 34.0;
/// Where the bars of a panel start and how long the longest is; the value stands behind the bar.
const BARS: (f64, f64) = (40.0, 150.0);
const BAR_HEIGHT: f64 = 14.0;
const BAR_STEP: f64 = 20.0;
/// Between the top of a panel and its first bar: title and what is better.
const TITLE_HEIGHT: f64 = 42.0;
/// Between the last bar and the next row of panels.
const GAP: f64 = 18.0;

const STYLE: &str = "
  text { font: 12px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #57606a }
  .head { font-size: 20px; font-weight: 600; fill: #1f2328 }
  .title { font-size: 13px; font-weight: 600; fill: #1f2328 }
  .small { font-size: 11px }
  .value { fill: #1f2328; font-variant-numeric: tabular-nums }
  .page { fill: #ffffff }
  .ours { fill: #0969da } .echo { fill: #9aa7b5 } .floor { fill: #d0d7de } .reference { fill: #bf8700 }
  .spread { stroke: #1f2328; stroke-width: 1; opacity: .45 }
  .goal { stroke: #cf222e; stroke-width: 2; stroke-dasharray: 3 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 } .head, .title, .value { fill: #f0f6fc } .page { fill: #0d1117 }
    .ours { fill: #4493f8 } .echo { fill: #656c76 } .floor { fill: #3d444d } .reference { fill: #9e6a03 }
    .spread { stroke: #f0f6fc } .goal { stroke: #f85149 }
  }";

/// The picture.
pub fn draw(report: &Report) -> String {
    let panels: Vec<&Figure> = report.figures.iter().filter(|figure| figure.in_chart).collect();
    let rows: Vec<(&[&Figure], f64)> = panels.chunks(COLUMNS).map(|row| (row, row_height(row))).collect();
    let width = 2.0 * MARGIN + PANEL_WIDTH * COLUMNS as f64;
    let height = HEADER + rows.iter().map(|(_, height)| height).sum::<f64>() + FOOTER;
    let mut svg = Canvas(String::new());
    svg.line(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{} beside a bare echo server and a bare socket">"#,
        escape(&report.program)
    ));
    svg.line(format_args!("<style>{STYLE}\n</style>"));
    svg.line(format_args!(r#"<rect class="page" width="{width}" height="{height}" rx="8"/>"#));
    svg.text(MARGIN, 36.0, "head", &format!("How fast {} is", report.program));
    legend(&mut svg);
    let mut y = HEADER;
    for (row, height) in rows {
        for (column, figure) in row.iter().enumerate() {
            panel(&mut svg, MARGIN + PANEL_WIDTH * column as f64, y, figure);
        }
        y += height;
    }
    svg.text(MARGIN, height - 14.0, "small", &report.conditions());
    svg.line(format_args!("</svg>"));
    svg.0
}

fn row_height(row: &[&Figure]) -> f64 {
    let bars = row.iter().map(|figure| figure.summary.len()).max().unwrap_or(0);
    TITLE_HEIGHT + BAR_STEP * bars as f64 + GAP
}

fn legend(svg: &mut Canvas) {
    let mut x = MARGIN;
    for (class, text, width) in [
        ("ours", "this server", 90.0),
        ("echo", "bare actix-web-actors", 155.0),
        ("floor", "bare socket or pipe", 140.0),
        ("reference", "reference program", 125.0),
    ] {
        svg.line(format_args!(r#"<rect class="{class}" x="{x}" y="53" width="12" height="12" rx="2"/>"#));
        svg.text(x + 18.0, 63.0, "small", text);
        x += width;
    }
    svg.line(format_args!(r#"<path class="goal" d="M{x} 51v16"/>"#));
    svg.text(x + 8.0, 63.0, "small", "goal");
    svg.line(format_args!(r#"<path class="spread" d="M{} 59h16m-16 -3v6m16 -6v6"/>"#, x + 50.0));
    svg.text(x + 73.0, 63.0, "small", "least and greatest round");
}

fn panel(svg: &mut Canvas, x: f64, y: f64, figure: &Figure) {
    let better = if figure.unit == Unit::PerSecond { "more is better" } else { "less is better" };
    svg.text(x, y + 16.0, "title", &figure.name);
    svg.text(x, y + 31.0, "small", better);
    let limit = figure.limit();
    let spreads = [Contestant::Ours, Contestant::Reference, Contestant::Echo, Contestant::Floor]
        .map(|who| (who, figure.spread(who)))
        .into_iter()
        .filter_map(|(who, spread)| Some((who, spread?)));
    let greatest = spreads.clone().map(|(_, spread)| spread.median).chain(limit).fold(0.0, f64::max);
    let (start, length) = BARS;
    let place = |value: f64| x + start + length * (value / greatest).min(1.0);
    for (row, (who, spread)) in spreads.enumerate() {
        let top = y + TITLE_HEIGHT + BAR_STEP * row as f64;
        let (end, middle) = (place(spread.median), top + BAR_HEIGHT / 2.0);
        svg.text(x, top + 11.0, "small", who.name());
        svg.line(format_args!(
            r#"<rect class="{}" x="{}" y="{top}" width="{:.1}" height="{BAR_HEIGHT}" rx="2"/>"#,
            who.name(),
            x + start,
            (end - x - start).max(1.0)
        ));
        let (least, most) = (place(spread.least), place(spread.greatest));
        svg.line(format_args!(
            r#"<path class="spread" d="M{least:.1} {middle}H{most:.1}M{least:.1} {0}v6M{most:.1} {0}v6"/>"#,
            middle - 3.0
        ));
        svg.text(end.max(most) + 6.0, top + 11.0, "small value", &figure.unit.text(spread.median));
        if let (Contestant::Ours, Some(limit)) = (who, limit) {
            svg.line(format_args!(
                r#"<path class="goal" d="M{:.1} {}v{}"/>"#,
                place(limit),
                top - 3.0,
                BAR_HEIGHT + 6.0
            ));
        }
    }
}

/// SVG in the making.
struct Canvas(String);

impl Canvas {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.line(format_args!(r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{}</text>"#, escape(text)));
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
