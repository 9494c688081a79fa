// The same bars, the same size, the same colours, the same stretch of time in
// each frame, drawn by each library in the way that its documentation shows.
"use strict";

const BARS = 100_000;
const MINUTE = 60;
const START = 1_700_000_040; // a full minute
const WIDTH = 1200;
const HEIGHT = 600;
const UP = "#2ebd85", DOWN = "#f6465d", LINE = "#4c9aff", TEXT = "#93a0b4", GRID = "#262e3a";

// A random walk, the same in every run.
function walk(count) {
    let seed = 7, price = 60_000;
    const random = () => ((seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647) - 0.5;
    return Array.from({ length: count }, (_, index) => {
        const open = price;
        const steps = [1, 2, 3, 4].map(() => (price += random() * 20));
        const round = value => Math.round(value * 100) / 100;
        return {
            time: START + index * MINUTE,
            open: round(open), close: round(price),
            high: round(Math.max(open, ...steps)), low: round(Math.min(open, ...steps)),
        };
    });
}

const libraries = {
    tickwire(kind, bars) {
        const api = window.tickwire;
        api.set(kind, new Float64Array(bars.flatMap(b => [b.time * 1e6, b.open, b.high, b.low, b.close])));
        return {
            show(count, back) { api.show(count, back); },
            trade(bar) { api.trade(bar.time * 1e6, bar.close); },
            draw() { api.paint(); },
            remove() {},
        };
    },

    // Candles as in its own demo "candlestick-ohlc": rectangles in the draw
    // hook, of the bars in view.
    uplot(kind, bars) {
        const data = [bars.map(b => b.time), bars.map(b => b.open), bars.map(b => b.high),
            bars.map(b => b.low), bars.map(b => b.close)];
        const shape = () => kind === "line" ? [data[0], data[4]] : data;
        const axis = { stroke: TEXT, grid: { stroke: GRID }, ticks: { stroke: GRID } };
        const candles = u => {
            const [from, to] = u.series[0].idxs;
            const pitch = u.valToPos(data[0][1], "x", true) - u.valToPos(data[0][0], "x", true);
            const body = Math.max(1, Math.round(pitch * 0.75));
            u.ctx.save();
            u.ctx.beginPath();
            u.ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
            u.ctx.clip();
            for (const up of [true, false]) {
                u.ctx.fillStyle = up ? UP : DOWN;
                for (let i = from; i <= to; i++) {
                    if ((data[4][i] >= data[1][i]) !== up) continue;
                    const x = Math.round(u.valToPos(data[0][i], "x", true));
                    const high = u.valToPos(data[2][i], "y", true), low = u.valToPos(data[3][i], "y", true);
                    u.ctx.fillRect(x, high, 1, Math.max(1, low - high));
                    if (body > 1) {
                        const a = u.valToPos(data[1][i], "y", true), b = u.valToPos(data[4][i], "y", true);
                        u.ctx.fillRect(x - (body >> 1), Math.min(a, b), body, Math.max(1, Math.abs(a - b)));
                    }
                }
            }
            u.ctx.restore();
        };
        const hidden = { paths: () => null, points: { show: false } };
        const range = (u, low, high) => [low, high];
        const chart = new uPlot({
            width: WIDTH, height: HEIGHT,
            legend: { show: false }, cursor: { show: false },
            axes: [axis, { ...axis, side: 1 }],
            series: kind === "line"
                ? [{}, { stroke: LINE, width: 1.5, points: { show: false } }]
                : [{}, hidden, hidden, hidden, hidden],
            scales: { x: { time: true }, y: { range } },
            hooks: kind === "line" ? {} : { draw: [candles] },
        }, shape(), document.getElementById("uplot"));
        let view = null;
        return {
            show(count, back) {
                const last = data[0].length - 1;
                view = [data[0][last] - (count + back - 1) * MINUTE, data[0][last] - (back - 1) * MINUTE];
            },
            trade(bar) {
                const last = data[0].length - 1;
                if (data[0][last] === bar.time) {
                    data[2][last] = Math.max(data[2][last], bar.close);
                    data[3][last] = Math.min(data[3][last], bar.close);
                    data[4][last] = bar.close;
                } else {
                    [bar.time, bar.close, bar.close, bar.close, bar.close].forEach((v, i) => data[i].push(v));
                }
                this.changed = true;
            },
            draw() {
                if (this.changed) chart.setData(shape(), false);
                this.changed = false;
                chart.setScale("x", { min: view[0], max: view[1] });
            },
            remove() { chart.destroy(); },
        };
    },

    // With conflation, zooming out is quicker, and each new tick takes many times
    // as long: it is measured with what is better for it.
    lightweight(kind, bars, scenario) {
        const chart = LightweightCharts.createChart(document.getElementById("lightweight"), {
            width: WIDTH, height: HEIGHT,
            layout: { background: { color: "#151a21" }, textColor: TEXT, attributionLogo: false },
            grid: { vertLines: { color: GRID }, horzLines: { color: GRID } },
            timeScale: { minBarSpacing: 0.001, timeVisible: true, enableConflation: scenario === "pan and zoom" },
        });
        const series = kind === "line"
            ? chart.addSeries(LightweightCharts.LineSeries, { color: LINE, lineWidth: 1.5 })
            : chart.addSeries(LightweightCharts.CandlestickSeries, {
                upColor: UP, downColor: DOWN, wickUpColor: UP, wickDownColor: DOWN, borderVisible: false });
        const point = bar => kind === "line" ? { time: bar.time, value: bar.close } : bar;
        series.setData(bars.map(point));
        let length = bars.length, last = { ...bars[bars.length - 1] };
        return {
            show(count, back) {
                chart.timeScale().setVisibleLogicalRange({ from: length - count - back, to: length - back });
            },
            trade(bar) {
                if (last.time === bar.time) {
                    last = { ...last, high: Math.max(last.high, bar.close), low: Math.min(last.low, bar.close), close: bar.close };
                } else {
                    last = { time: bar.time, open: bar.close, high: bar.close, low: bar.close, close: bar.close };
                    length += 1;
                }
                series.update(point(last));
            },
            // It asks for its own animation frame.
            draw() {},
            remove() { chart.remove(); },
        };
    },
};

const scenarios = {
    // From 200 bars to all of them and back, moving to and fro.
    "pan and zoom"(chart, frame) {
        const depth = 0.5 - 0.5 * Math.cos(frame / 20);
        const count = 200 * (BARS / 200) ** depth;
        chart.show(count, (BARS - count) * (0.5 + 0.5 * Math.sin(frame / 13)));
    },
    // 1,000 ticks a second: 50 in each three frames of a sixtieth.
    "1,000 ticks/s"(chart, frame, live) {
        if (frame === 0) chart.show(300, 0);
        const ticks = frame % 3 === 0 ? 16 : 17;
        for (let tick = 0; tick < ticks; tick++) {
            live.count += 1;
            live.price += Math.sin(live.count * 12.9898) * 4;
            const minute = Math.floor(live.count / 1_000);
            chart.trade({ time: START + (BARS + minute) * MINUTE, close: Math.round(live.price * 100) / 100 });
        }
        chart.show(300, 0);
    },
};

const bars = walk(BARS);
let current = null;

// Sets the stage; what follows is measured from outside.
window.prepare = async (library, kind, scenario) => {
    current?.remove();
    for (const stage of document.getElementById("stage").children) {
        stage.className = stage.id === library ? "on" : "";
    }
    current = libraries[library](kind, bars, scenario);
    current.show(1_000, 0);
    current.draw();
    await frames(30);
};

function frames(count, each = () => {}) {
    return new Promise(done => {
        let frame = 0;
        const step = () => {
            if (frame === count) return done();
            each(frame++);
            requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
    });
}

let live;
// Draws frames from this one on: a measurement is longer than a script may take.
window.play = (scenario, first, count) => {
    if (first === 0) live = { count: 0, price: bars[BARS - 1].close };
    return frames(count, frame => {
        scenarios[scenario](current, first + frame, live);
        current.draw();
    });
};

window.isBlank = () => [...document.querySelectorAll("#stage > .on canvas")].every(canvas =>
    !canvas.width || !canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(b => b > 0));

function ready() { window.isReady = true; }
