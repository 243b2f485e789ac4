// predict.c in C++17: what a model, a plan and a result hold is released by itself.
//
//   c++ -std=c++17 -Iinclude -o predict docs/examples/predict.cc -Lbuild/lib -lweighlock-infer
//   -lweighlock LD_LIBRARY_PATH=build/lib ./predict iris.wlk trust build/bin/weighlock-child
#include <cstdio>
#include <memory>
#include <stdexcept>

#include <weighlock/infer.h>
#include <weighlock/load.h>

namespace {

// What failed, with the verdict that becomes the exit code.
struct Refusal : std::runtime_error {
    Refusal(const wlk_error &error, const char *text)
        : std::runtime_error(text), status(error.status) {
    }
    wlk_status status;
};

// Calls a function whose last argument is the error.
template <typename Function, typename... Arguments>
void call(Function function, Arguments... arguments) {
    wlk_error error;
    char text[512];
    if (function(arguments..., &error) == WLK_OK) return;
    throw Refusal(error, wlk_error_format(&error, text, sizeof text));
}

template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T *owned) const {
        Free(owned);
    }
};

using Trust = std::unique_ptr<wlk_trust, Deleter<wlk_trust_free>>;
using Model = std::unique_ptr<wlk_model, Deleter<wlk_model_free>>;
using Plan = std::unique_ptr<wlk_plan, Deleter<wlk_plan_free>>;
using Result = std::unique_ptr<wlk_result, Deleter<wlk_result_free>>;

Trust open_trust(const char *folder) {
    wlk_trust *trust = nullptr;
    call(wlk_trust_open, folder, &trust);
    return Trust(trust);
}

Model load(const char *path, const wlk_load_options &options) {
    wlk_model *model = nullptr;
    call(wlk_load_path, path, &options, &model, nullptr);
    return Model(model);
}

Plan plan_of(const Model &model) {
    wlk_plan *plan = nullptr;
    call(wlk_plan_create, model.get(), nullptr, &plan);
    return Plan(plan);
}

Result run(const Plan &plan, const wlk_tensor &rows) {
    wlk_result *result = nullptr;
    call(wlk_run, plan.get(), &rows, 1u, &result);
    return Result(result);
}

// A validated model is still any model: what it gives has to be looked at.
wlk_status print_probabilities(const wlk_tensor &p) {
    if (p.dtype != WLK_F64 || p.rank != 2 || p.shape[1] == 0) return WLK_UNSUPPORTED;
    const auto *values = static_cast<const double *>(p.data);
    for (uint64_t i = 0; i < p.count; i++) {
        std::printf("%.6f%c", values[i], (i + 1) % p.shape[1] ? ' ' : '\n');
    }
    return WLK_OK;
}

wlk_status predict(int argc, char **argv) {
    static const double irises[2][4] = {{5.1, 3.5, 1.4, 0.2}, {6.3, 3.3, 6.0, 2.5}};  // cm
    wlk_tensor rows{};
    rows.dtype = WLK_F64;
    rows.rank = 2;
    rows.shape[0] = 2;
    rows.shape[1] = 4;
    rows.data = irises;
    rows.nbytes = sizeof irises;

    wlk_load_options options;
    wlk_load_options_default(&options);
    const Trust trust = open_trust(argv[2]);
    options.trust = trust.get();
    if (argc > 3) options.child_path = argv[3];  // else where it was installed
    const Model model = load(argv[1], options);
    const Plan plan = plan_of(model);
    const Result result = run(plan, rows);
    return print_probabilities(wlk_result_tensor(result.get(), 1));
}

}  // namespace

int main(int argc, char **argv) {
    if (argc < 3) return WLK_USAGE;
    try {
        return predict(argc, argv);
    } catch (const Refusal &refusal) {
        std::fprintf(stderr, "%s\n", refusal.what());
        return refusal.status;
    }
}
