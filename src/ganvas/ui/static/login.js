import { post, trouble } from "./ui.js";

document.getElementById("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await post("/login", { password: event.target.elements.password.value });
    location.assign("/");
  } catch (error) {
    trouble(error.message);
  }
});
