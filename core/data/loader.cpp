#include "core/data/loader.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/sample.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

namespace fovea {

namespace {

constexpr std::uint64_t kShufflePurpose = 0x5bf;

// Memory of batches that nobody holds any more; new memory has to be cleared by the system each time.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
public:
    explicit BufferPool(std::size_t elements) : m_elements(elements) {}

    std::shared_ptr<float[]> take()
    {
        std::unique_ptr<float[]> buffer;
        {
            const std::lock_guard lock(m_mutex);
            if (!m_free.empty()) {
                buffer = std::move(m_free.back());
                m_free.pop_back();
            }
        }
        if (!buffer) buffer = std::make_unique_for_overwrite<float[]>(m_elements);
        return {buffer.release(),
                [pool = shared_from_this()](float* memory) { pool->giveBack(std::unique_ptr<float[]>(memory)); }};
    }

private:
    static constexpr std::size_t kKept = 8;
    void giveBack(std::unique_ptr<float[]> buffer)
    {
        const std::lock_guard lock(m_mutex);
        if (m_free.size() < kKept) m_free.push_back(std::move(buffer));
    }
    std::size_t m_elements;
    std::mutex m_mutex;
    std::vector<std::unique_ptr<float[]>> m_free;
};

using Order = std::vector<std::int64_t>;

std::shared_ptr<const Order> orderOf(const LoadOptions& options, std::int64_t size, std::int64_t epoch)
{
    Order order(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    RandomStream stream(options.seed, {static_cast<std::uint64_t>(epoch), kShufflePurpose});
    if (options.shuffle) stream.shuffle(order);
    return std::make_shared<const Order>(std::move(order));
}

constexpr std::int64_t kNone = -1;

// A batch that is being made. Slots are given out, and `left` counted down, under the loader's lock.
struct Pending {
    std::shared_ptr<const Order> order;
    std::int64_t epoch = 0, first = 0, count = 0;  // places in the order
    std::int64_t given = 0, left = 0;
    std::shared_ptr<float[]> images;
    std::vector<std::int64_t> labels, indices;
    std::exception_ptr error;
};

int workersFor(int wanted)
{
    if (wanted < 0)
        throw Error(ErrorCode::Usage,
                    "The number of workers must be at least 0, but is " + std::to_string(wanted) + ".");
    if (wanted > 0) return wanted;
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1);
}

}  // namespace

struct Loader::Impl {
    Impl(DatasetPtr dataset, const LoadOptions& options)
        : data(std::move(dataset)), settings(options), sampler(options), size(data->size()),
          pool(std::make_shared<BufferPool>(
              sampler.elements() * static_cast<std::size_t>(std::min(options.batch, std::max<std::int64_t>(size, 1)))))
    {
        const int count = workersFor(options.workers);
        // Enough that every worker finds a sample while the first batch waits for its last one.
        ahead = 2 + static_cast<std::size_t>(count / options.batch);
        for (int i = 0; i < count; ++i) workers.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }

    std::int64_t batches() const
    {
        if (settings.dropLast && size >= settings.batch) return size / settings.batch;
        return (size + settings.batch - 1) / settings.batch;
    }

    // Under the lock.
    void queueMore()
    {
        for (; queue.size() < ahead && nextBatch < batches(); ++nextBatch) {
            auto batch = std::make_shared<Pending>();
            batch->order = order;
            batch->epoch = epoch;
            batch->first = nextBatch * settings.batch;
            batch->count = batch->left = std::min(settings.batch, size - batch->first);
            batch->images = pool->take();
            batch->labels.resize(static_cast<std::size_t>(batch->count));
            batch->indices.assign(static_cast<std::size_t>(batch->count), kNone);
            queue.push_back(std::move(batch));
        }
        wanted.notify_all();
    }

    // The first batch that has slots to give, or null.
    std::shared_ptr<Pending> unfinished() const
    {
        for (const auto& batch : queue)
            if (batch->given < batch->count) return batch;
        return nullptr;
    }

    void work(const std::stop_token& stop)
    {
        SampleScratch scratch;
        std::unique_lock lock(mutex);
        std::shared_ptr<Pending> batch;
        while (wanted.wait(lock, stop, [&] { return (batch = unfinished()) != nullptr; }) && !stop.stop_requested()) {
            const std::int64_t slot = batch->given++;
            lock.unlock();
            std::exception_ptr error;
            try {
                fill(*batch, slot, scratch);
            } catch (...) {
                error = std::current_exception();
            }
            lock.lock();
            if (error) batch->error = error;
            if (--batch->left == 0) done.notify_all();
        }
    }

    // A broken image is passed over in the epoch's order, so what takes its place depends on the order alone. Where
    // nothing is to take it, its index stays kNone.
    void fill(Pending& batch, std::int64_t slot, SampleScratch& scratch)
    {
        float* out = batch.images.get() + static_cast<std::size_t>(slot) * sampler.elements();
        for (std::int64_t step = 0; step < (settings.shuffle ? size : 1); ++step) {
            const std::int64_t index = (*batch.order)[static_cast<std::size_t>((batch.first + slot + step) % size)];
            if (isBroken(index)) continue;
            try {
                sampler.write(*data, index, batch.epoch, scratch, out);
            } catch (const Error& error) {
                if (error.code() == ErrorCode::Internal) throw;
                note(index, error.message());
                continue;
            }
            batch.labels[static_cast<std::size_t>(slot)] = data->label(index);
            batch.indices[static_cast<std::size_t>(slot)] = index;
            return;
        }
        refuseAllBroken();
    }

    void refuseAllBroken()
    {
        const std::lock_guard lock(brokenMutex);
        if (static_cast<std::int64_t>(broken.size()) < size) return;
        const BrokenImage& one = broken.begin()->second;
        throw Error(ErrorCode::Format, "None of the " + std::to_string(size) + " images can be read; the first is '" +
                                           one.name + "': " + one.why);
    }

    bool isBroken(std::int64_t index)
    {
        const std::lock_guard lock(brokenMutex);
        return broken.contains(index);
    }

    void note(std::int64_t index, const std::string& why)
    {
        const std::lock_guard lock(brokenMutex);
        broken.try_emplace(index, BrokenImage{data->nameOf(index), why});
    }

    void start(std::int64_t newEpoch, std::int64_t firstBatch)
    {
        auto newOrder = orderOf(settings, size, newEpoch);
        const std::lock_guard lock(mutex);
        queue.clear();
        order = std::move(newOrder);
        epoch = newEpoch;
        nextBatch = std::max<std::int64_t>(firstBatch, 0);
        queueMore();
    }

    std::shared_ptr<Pending> next()
    {
        std::unique_lock lock(mutex);
        if (queue.empty()) return nullptr;
        const std::shared_ptr<Pending> batch = queue.front();
        done.wait(lock, [&] { return batch->left == 0; });
        queue.pop_front();
        queueMore();
        return batch;
    }

    // The whole images of a batch, moved together.
    void closeGaps(Pending& batch) const
    {
        std::int64_t kept = 0;
        for (std::int64_t slot = 0; slot < batch.count; ++slot) {
            const auto from = static_cast<std::size_t>(slot), to = static_cast<std::size_t>(kept);
            if (batch.indices[from] == kNone) continue;
            if (from != to) {
                std::copy_n(batch.images.get() + from * sampler.elements(), sampler.elements(),
                            batch.images.get() + to * sampler.elements());
                batch.labels[to] = batch.labels[from];
                batch.indices[to] = batch.indices[from];
            }
            ++kept;
        }
        batch.count = kept;
        batch.labels.resize(static_cast<std::size_t>(kept));
        batch.indices.resize(static_cast<std::size_t>(kept));
    }

    DatasetPtr data;
    LoadOptions settings;
    Sampler sampler;
    std::int64_t size;
    std::shared_ptr<BufferPool> pool;

    std::mutex mutex;
    std::condition_variable_any wanted, done;
    std::size_t ahead = 2;
    std::deque<std::shared_ptr<Pending>> queue;
    std::shared_ptr<const Order> order;
    std::int64_t epoch = 0, nextBatch = 0;

    std::mutex brokenMutex;
    std::map<std::int64_t, BrokenImage> broken;

    std::vector<std::jthread> workers;  // last: gone before what they use
};

Loader::Loader(DatasetPtr dataset, const LoadOptions& options)
    : m_impl(std::make_unique<Impl>(std::move(dataset), options))
{}

Loader::~Loader() = default;

std::int64_t Loader::batchesPerEpoch() const { return m_impl->batches(); }

void Loader::start(std::int64_t epoch, std::int64_t firstBatch) { m_impl->start(epoch, firstBatch); }

std::optional<Batch> Loader::next()
{
    if (!m_impl->order) m_impl->start(0, 0);
    std::shared_ptr<Pending> done;
    do {
        done = m_impl->next();
        if (!done) return std::nullopt;
        if (done->error) std::rethrow_exception(done->error);
        m_impl->closeGaps(*done);
    } while (done->count == 0);
    const LoadOptions& options = m_impl->settings;
    Batch batch;
    batch.images.dtype = DType::Float32;
    batch.images.dims = {done->count, options.channels, options.height, options.width};
    const std::size_t elements = static_cast<std::size_t>(done->count) * m_impl->sampler.elements();
    batch.images.bytes = std::as_bytes(std::span<const float>(done->images.get(), elements));
    batch.images.owner = done->images;
    batch.labels = done->labels;
    batch.indices = done->indices;
    return batch;
}

std::vector<BrokenImage> Loader::broken() const
{
    const std::lock_guard lock(m_impl->brokenMutex);
    std::vector<BrokenImage> out;
    for (const auto& [index, image] : m_impl->broken) out.push_back(image);
    return out;
}

}  // namespace fovea
