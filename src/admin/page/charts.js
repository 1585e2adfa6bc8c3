'use strict';

// Live charts over uPlot: each holds the last minutes of a few series.

const KEPT = 300;

function shade(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

class Chart {
  constructor(id, series, format) {
    this.element = document.getElementById(id);
    this.series = series;
    this.format = format;
    this.data = [[], ...series.map(() => [])];
    this.draw();
    new ResizeObserver(() => this.fit()).observe(this.element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  draw() {
    this.plot?.destroy();
    const axis = { stroke: shade('--quiet'), grid: { stroke: shade('--line'), width: 1 }, ticks: { show: false } };
    const format = this.format;
    this.plot = new uPlot({
      width: Math.max(this.element.clientWidth, 160),
      height: 150,
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, this.series[0].least ?? 1)] } },
      axes: [
        { ...axis, size: 26, space: 70, values: (_, times) => times.map(clock) },
        { ...axis, size: 58, values: (_, values) => values.map(format) },
      ],
      series: [
        { label: 'at', value: (_, at) => at == null ? '–' : clock(at) },
        ...this.series.map(it => ({
          label: it.label,
          stroke: shade(it.colour),
          width: 2,
          points: { show: false },
          value: (_, value) => value == null ? '–' : format(value),
        })),
      ],
    }, this.data, this.element);
  }

  fit() {
    const width = this.element.clientWidth;
    if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: 150 });
  }

  add(at, values) {
    [at, ...values].forEach((value, index) => {
      this.data[index].push(value);
      if (this.data[index].length > KEPT) this.data[index].shift();
    });
    this.plot.setData(this.data);
    // Without a pointer over it, the legend tells of now.
    if (this.plot.cursor.left < 0) this.plot.setLegend({ idx: this.data[0].length - 1 });
  }
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
}
