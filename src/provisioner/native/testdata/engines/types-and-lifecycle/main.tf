terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
variable "list" {
  type = list(object({ a = string, b = number }))
  default = [{ a = "x", b = 1 }, { a = "y", b = 2.5 }]
}
variable "any" { default = { q = [1, "two", null, true] } }
resource "terraform_data" "a" {
  input = var.list
}
resource "terraform_data" "b" {
  input = { any = var.any, set = toset(["b", "a"]), map = tomap({ z = 1, y = 2 }), nul = null, empty = [], e2 = {}, num = 1.5, big = 123456789012 }
  triggers_replace = terraform_data.a.id
}
resource "terraform_data" "c" {
  count = 2
  input = terraform_data.b.output.set
  lifecycle { 
    create_before_destroy = true
    replace_triggered_by = [terraform_data.b] 
  }
  triggers_replace = data.coder_workspace.me.transition
}
resource "terraform_data" "d" {
  depends_on = [terraform_data.c]
  input = data.coder_workspace.me.transition
  lifecycle { ignore_changes = [input] }
}
resource "terraform_data" "e" {
  input = data.coder_workspace.me.transition
  provisioner "local-exec" { command = "true" }
}
resource "terraform_data" "none" {
  count = 0
}
output "o1" { value = terraform_data.b.output }
output "o2" { value = terraform_data.c[*].id != null }
output "o3" { value = try(terraform_data.none[0].id, "none") }
output "o4" { value = one(terraform_data.none[*].id) }
output "o5" { value = terraform_data.e.output }
