#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"

namespace fovea {

namespace {

ReportJson textOrNull(const std::string& text) { return text.empty() ? ReportJson(nullptr) : ReportJson(text); }

ReportJson editObject(const Edit& edit)
{
    return {{"op", toString(edit.op)},       {"layer", edit.layer},       {"attribute", textOrNull(edit.attribute)},
            {"from", textOrNull(edit.from)}, {"to", textOrNull(edit.to)}, {"after", textOrNull(edit.after)}};
}

ReportJson dimsOrNull(const Ints& dims, bool there) { return there ? ReportJson(dims) : ReportJson(nullptr); }

// What becomes of each tensor that is not copied as it is.
ReportJson rowsArray(const TransferPlan& plan)
{
    ReportJson out = ReportJson::array();
    for (const TransferRow& row : plan.rows) {
        // A tensor of an added layer comes from nothing.
        const bool from = !row.from.empty(), to = row.action != Transfer::Dropped;
        out.push_back({{"tensor", row.tensor},
                       {"layer", row.layer},
                       {"action", toString(row.action)},
                       {"from", dimsOrNull(row.from, from)},
                       {"to", dimsOrNull(row.to, to)}});
    }
    return out;
}

ReportJson weightsObject(const TransferPlan& plan)
{
    ReportJson out = ReportJson::object();
    for (const Transfer transfer :
         {Transfer::Copied, Transfer::Sliced, Transfer::Padded, Transfer::Fresh, Transfer::Dropped}) {
        const TransferPlan::Total& total = plan.total(transfer);
        out[toString(transfer)] = {{"tensors", total.tensors}, {"parameters", total.parameters}};
    }
    out["kept"] = plan.kept();
    out["rows"] = rowsArray(plan);
    return out;
}

// The border layer of a refined network, whose report the plan does not carry.
ReportJson summaryWithNames(const Summary& summary, const Graph& graph)
{
    ReportJson out = summaryObject(summary, nullptr);
    if (const Node* border = summary.borderLayer ? graph.find(*summary.borderLayer) : nullptr)
        out["border_layer"] = border->name;
    return out;
}

ReportJson issuesArray(const std::vector<Issue>& issues)
{
    ReportJson out = ReportJson::array();
    for (const Issue& issue : issues) out.push_back(issueObject(issue));
    return out;
}

ReportJson idOrNull(const Plan* plan) { return plan ? ReportJson(plan->id) : ReportJson(nullptr); }

ReportJson picksObject(const std::vector<Plan>& plans)
{
    const Picks picks = picksOf(plans);
    return {{"cheapest", idOrNull(picks.cheapest)},
            {"balanced", idOrNull(picks.balanced)},
            {"productive", idOrNull(picks.productive)}};
}

ReportJson planObject(const Plan& plan, const Report& before)
{
    ReportJson edits = ReportJson::array();
    for (const Edit& edit : plan.edits) edits.push_back(editObject(edit));
    ReportJson out = {{"id", plan.id},
            {"title", plan.title},
            {"reason", plan.reason},
            {"edits", std::move(edits)},
            {"before", summaryObject(plan.before, &before)},
            {"after", summaryWithNames(plan.after, plan.graph)},
            {"weights", weightsObject(plan.weights)},
            {"memory",
             {{"training", {{"before", plan.memoryBefore.training}, {"after", plan.memoryAfter.training}}},
              {"inference", {{"before", plan.memoryBefore.inference}, {"after", plan.memoryAfter.inference}}}}},
            {"issues", issuesArray(plan.issues)}};
    if (plan.latency)
        out["latency"] = {{"before", plan.latency->before},
                          {"after", plan.latency->after},
                          {"batch", plan.latency->batch},
                          {"device", plan.latency->device}};
    return out;
}

}  // namespace

ReportJson plansObject(const Report& before, const std::vector<Plan>& plans)
{
    ReportJson list = ReportJson::array();
    for (const Plan& plan : plans) list.push_back(planObject(plan, before));
    return {{"schema", "fovea.plans/1"},
            {"before", summaryObject(before.summary, &before)},
            {"plans", std::move(list)},
            {"picks", picksObject(plans)}};
}

}  // namespace fovea
