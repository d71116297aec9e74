import { mount } from "svelte";
import App from "./App.svelte";
import { workOffline } from "./offline-register.ts";
import "./style.css";

mount(App, { target: document.getElementById("app")! });
void workOffline();
