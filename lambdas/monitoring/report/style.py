"""The page's style sheet: light and dark by the reader's own setting, and fit to be printed."""

STYLE = """
:root{--paper:#f6f7f9;--card:#fff;--ink:#18202b;--soft:#5d6878;--line:#dfe4ea;--faint:#eef1f5;--reference:#a9b4c2;
--window:#1668c7;--good:#16794a;--moderate:#a15c00;--severe:#c3263a;--suspect:#7a3fc0;--undecided:#5d6878;
--shade:0 1px 2px rgba(20,30,50,.06),0 4px 14px rgba(20,30,50,.05)}
@media (prefers-color-scheme:dark){:root{--paper:#0f141b;--card:#171e28;--ink:#e6ebf2;--soft:#98a4b5;--line:#2a3442;
--faint:#1f2834;--reference:#55637a;--window:#5aa9ff;--good:#4cc38a;--moderate:#f0a03c;--severe:#ff6b7a;
--suspect:#b992ff;--undecided:#98a4b5;--shade:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:32px 24px 64px}
header{display:flex;gap:24px;align-items:flex-start;justify-content:space-between;border-bottom:1px solid var(--line);
padding-bottom:20px}
header>div:first-child{flex:1}
h1{font-size:26px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:18px;margin:36px 0 12px}
h3{font-size:16px;margin:0;overflow-wrap:anywhere}
p{margin:0 0 8px}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--faint);border-radius:4px;
padding:.05em .3em;overflow-wrap:anywhere}
.lead{color:var(--soft);max-width:72ch;margin:0}
.verdict{font-size:17px;max-width:76ch;margin:18px 0 0;padding:14px 18px;border-left:4px solid var(--tone);
background:var(--card);border-radius:0 10px 10px 0;box-shadow:var(--shade)}
.none{--tone:var(--good)}.info{--tone:var(--soft)}.moderate{--tone:var(--moderate)}.severe{--tone:var(--severe)}
.suspect{--tone:var(--suspect)}.undecided{--tone:var(--undecided)}
.badge,.pill{color:var(--tone);border:1.5px solid var(--tone);border-radius:999px;font-weight:650;white-space:nowrap}
.badge{padding:6px 16px;font-size:16px}
.pill{padding:0 9px;font-size:12px;line-height:19px;display:inline-block}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,1fr));gap:12px;margin-top:20px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 16px;box-shadow:var(--shade)}
.figure{font-size:24px;font-weight:650;letter-spacing:-.01em;line-height:1.25}
.what{color:var(--soft);font-size:13px}
.finding{border-left:4px solid var(--tone);margin-bottom:10px}
.finding p{max-width:92ch}
.head{display:flex;gap:10px;align-items:center;flex-wrap:wrap;margin-bottom:6px}
.kind{color:var(--soft);font-size:13px}
.two+.next{margin-top:14px}
.next{color:var(--soft);margin:0}
.next b{color:var(--ink);font-weight:600}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:14px}
.moved{border-top:3px solid var(--tone)}
.moved .head{justify-content:space-between}
.facts{display:grid;grid-template-columns:repeat(4,auto);gap:2px 18px;margin:10px 0 0;font-size:13px}
.facts dt{color:var(--soft);grid-row:1}.facts dd{margin:0;grid-row:2;font-weight:600}
.how{margin:10px 0 0;font-size:14px}
.scroll{overflow-x:auto;padding:0}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{padding:7px 12px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:600;font-size:12.5px}
tr:last-child td{border-bottom:0}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:120px}
td .pill{margin-left:6px}
details{margin-top:10px}
summary{cursor:pointer;color:var(--soft);margin-bottom:10px}
svg{display:block;max-width:100%}
svg text{fill:var(--soft);font-size:11px;font-family:inherit}
.ref{fill:var(--reference)}
.now{fill:var(--window);fill-opacity:.25;stroke:var(--window);stroke-width:1.6;stroke-linejoin:round}
.bar{fill:var(--window)}
.axis{stroke:var(--line)}
.key{display:flex;gap:16px;color:var(--soft);font-size:12.5px;margin:-4px 0 12px;flex-wrap:wrap}
.key i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.key .of-ref{background:var(--reference)}
.key .of-now{background:var(--window)}
.tone{fill:var(--tone)}
.hollow{fill:none;stroke:var(--soft);stroke-dasharray:2 2}
.whisker{stroke:var(--tone);stroke-width:2.5}
.guide{stroke:var(--soft);stroke-dasharray:3 3}
svg .strong{fill:var(--ink);font-size:12.5px}
svg .value{fill:var(--ink);font-weight:600}
footer{margin-top:40px;border-top:1px solid var(--line);padding-top:14px;color:var(--soft);font-size:13px}
@media (max-width:560px){header{flex-direction:column}.two{grid-template-columns:1fr}
.facts{grid-template-columns:auto auto}
.facts dt,.facts dd{grid-row:auto}}
@media print{body{background:#fff}.card{box-shadow:none;break-inside:avoid}}
"""
