import { init } from "echarts";
import type { Measured } from "./row.js";
import { rowName } from "./table.js";

/** The ratios as a bar chart, an SVG document: blue bars ours, a red mark what is to be reached. */
export function svgPlot(measured: readonly Measured[], suite: string, title: string): string {
  const rows = measured.toReversed();
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 900, height: 120 + 34 * rows.length });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: title, subtext: "times the peer's rate; above 1 ours is faster (logarithmic)", left: "center" },
    grid: { left: 20, right: 60, top: 70, bottom: 30, containLabel: true },
    xAxis: {
      type: "log",
      min: (extent: { min: number }) => Math.min(0.5, extent.min),
      axisLabel: { formatter: "{value}x" },
    },
    yAxis: { type: "category", data: rows.map((row) => rowName(row, suite)), axisTick: { show: false } },
    series: [
      {
        type: "bar",
        data: rows.map(({ result }) => result.ratio),
        barWidth: 18,
        itemStyle: { color: "#3b78c3" },
        label: { show: true, position: "right", formatter: "{c}x" },
        markLine: {
          silent: true,
          symbol: "none",
          lineStyle: { color: "#888888", type: "dashed" },
          label: { show: false },
          data: [{ xAxis: 1 }],
        },
      },
      {
        type: "scatter",
        symbol: "rect",
        symbolSize: [4, 26],
        itemStyle: { color: "#c0392b" },
        data: rows.flatMap(({ target }, at) => (target === undefined ? [] : [[target, at]])),
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
