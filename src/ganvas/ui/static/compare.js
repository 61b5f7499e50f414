// The comparison is made on the server; here its missing scores are asked for.
import { get, post, say } from "./ui.js";

const button = document.getElementById("score");
const status = document.getElementById("scoring");
const names = JSON.parse(document.getElementById("names").textContent);

const wait = async (job) => {
  const { state, line } = await get(`/api/compare/score/${job}`);
  if (state === "ended") return location.reload();
  if (state === "failed") throw new Error(line);
  status.textContent = `${say("ui.compare.scoring")} ${line}`;
  return setTimeout(() => wait(job).catch(failed), 1500);
};
const failed = (error) => {
  button.disabled = false;
  status.textContent = say("ui.compare.failed", { line: error.message });
};
button?.addEventListener("click", async () => {
  button.disabled = true;
  status.textContent = say("ui.compare.scoring");
  try {
    await wait((await post("/api/compare/score", { runs: names })).job);
  } catch (error) {
    failed(error);
  }
});
