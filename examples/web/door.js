// The door: people sign in or make an account where the service has a sign-in of its own. A token opens it everywhere.
const MODES = {
  in: { act: "login", submit: "Sign in", question: "No account yet?", other: "Make one", autocomplete: "current-password" },
  up: { act: "register", submit: "Make account", question: "Have an account?", other: "Sign in", autocomplete: "new-password" },
};

export class Door {
  // `on` has enter(token), where no token means the session of `client`, and failed(error).
  constructor(door, address, client, on) {
    Object.assign(this, { door, address, client, on, isBusy: false, info: null, mode: "in" });
    const parts = ["#people", "#sign-in", "details", ".ask"];
    [this.people, this.token, this.others, this.ask] = parts.map((each) => door.querySelector(each));
    this.people.addEventListener("submit", (event) => this.submit(event));
    this.ask.querySelector("button").addEventListener("click", () => this.turn(this.mode === "in" ? "up" : "in"));
    this.token.addEventListener("submit", (event) => {
      event.preventDefault();
      on.enter(this.token.elements.token.value.trim());
    });
  }

  // Shown once it is known what there is, so that nothing moves under a finger.
  async open() {
    this.close();
    for (const form of [this.people, this.token]) form.reset();
    this.info ??= await this.asked();
    this.people.hidden = !this.info.sign_in;
    if (!this.info.sign_in) this.others.open = true;
    this.others.classList.toggle("alone", !this.info.sign_in);
    this.show("in");
    this.door.hidden = false;
  }

  close() {
    this.door.hidden = true;
  }

  field() {
    return this.people.hidden ? this.token.elements.token : this.people.elements.email;
  }

  // A service that cannot be reached is asked again the next time.
  async asked() {
    try {
      const answer = await fetch(`${this.address}/api/auth`);
      if (answer.ok) return (await answer.json()).data;
    } catch {
      // signing in will say what is wrong
    }
    return this.info ?? { sign_in: false };
  }

  turn(mode) {
    this.show(mode);
    this.field().focus();
  }

  show(mode) {
    const { submit, question, other, autocomplete } = MODES[mode];
    this.mode = mode;
    const { password, invitation } = this.people.elements;
    for (const each of this.people.querySelectorAll(".new")) each.hidden = mode === "in";
    this.people.querySelector(".invited").hidden = mode === "in" || this.info.sign_up;
    invitation.required = mode === "up" && !this.info.sign_up;
    password.autocomplete = autocomplete;
    this.people.querySelector(".length").textContent = `At least ${this.info.password?.min} characters.`;
    this.people.querySelector(".main").textContent = submit;
    this.ask.querySelector("span").textContent = question;
    this.ask.querySelector("button").textContent = other;
  }

  async submit(event) {
    event.preventDefault();
    if (this.isBusy) return; // it was pressed twice
    this.isBusy = true;
    try {
      await this.client.auth[MODES[this.mode].act](this.filled());
      this.on.enter(null);
    } catch (problem) {
      this.on.failed(problem);
    } finally {
      this.isBusy = false;
    }
  }

  filled() {
    const { email, password, name, invitation } = this.people.elements;
    const fields = { email: email.value, password: password.value };
    if (this.mode === "in") return fields;
    if (name.value.trim()) fields.name = name.value.trim();
    if (!this.info.sign_up) fields.invitation = invitation.value.trim();
    return fields;
  }
}
